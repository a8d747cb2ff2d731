"""How a run ends, and when it is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.records import Outcome


@dataclass
class OutcomeJudge:
    """Decides after every update whether the run has diverged or is frozen.

    diverged  a parameter is not finite; or for `window` updates in a row the loss was not finite
              or above `explosion_bound`
    frozen    for `window` updates in a row no parameter changed although gradient and learning rate
              were not zero (the update skipped or not); or at least half of the coordinates have an
              optimiser state that is not finite
    """

    window: int
    explosion_bound: float
    _exploded: int = field(default=0, init=False)
    _unchanged: int = field(default=0, init=False)

    def after_update(
        self,
        *,
        loss: float,
        gradient_norm: float,
        learning_rate: float,
        parameters_are_finite: bool,
        parameters_changed: bool,
        state_vectors: dict[str, Tensor],
    ) -> Outcome | None:
        if not parameters_are_finite:
            return Outcome.DIVERGED
        exploded = not math.isfinite(loss) or loss > self.explosion_bound
        self._exploded = self._exploded + 1 if exploded else 0
        # A NaN gradient is not zero: only an exact zero is no reason to move.
        stuck = not parameters_changed and gradient_norm != 0 and learning_rate != 0
        self._unchanged = self._unchanged + 1 if stuck else 0
        if self._exploded >= self.window:
            return Outcome.DIVERGED
        if self._unchanged >= self.window or _half_is_lost(state_vectors):
            return Outcome.FROZEN
        return None


def _half_is_lost(state_vectors: dict[str, Tensor]) -> bool:
    lost = None
    for vector in state_vectors.values():
        bad = ~torch.isfinite(vector)
        lost = bad if lost is None else lost | bad
    return lost is not None and 2 * int(lost.sum()) >= lost.numel()


@dataclass
class SolvedJudge:
    """Finds the first regular evaluation from which the criterion holds `checks` times in a row."""

    checks: int
    solved_step: int | None = field(default=None, init=False)
    _since: int = field(default=0, init=False)
    _held: int = field(default=0, init=False)

    def after_evaluation(self, step: int, criterion_holds: bool) -> None:
        if not criterion_holds:
            self._held = 0
            return
        if self._held == 0:
            self._since = step
        self._held += 1
        if self.solved_step is None and self._held >= self.checks:
            self.solved_step = self._since
