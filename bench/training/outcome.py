"""How a run ends, and when it is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bench.records import Outcome


@dataclass(kw_only=True)
class OutcomeJudge:
    """Decides after every update whether the run has diverged or is frozen.

    diverged   a parameter is not finite; or for `window` updates in a row the loss was not finite
               or above `explosion_bound`; or the loss after the last update is not finite
    frozen     for `window` updates in a row the parameters moved by no more than `negligible`
               although gradient and learning rate were not zero (the update skipped or not); or at
               least half of the coordinates have an optimiser state that is not finite
    completed  the budget of `steps` updates is used up

    A window longer than the run is as long as the run: a run that showed the sign at every update
    did not complete for want of updates.
    """

    window: int
    steps: int
    explosion_bound: float
    negligible: float  # see `negligible_change`
    _exploded: int = field(default=0, init=False)
    _unmoved: int = field(default=0, init=False)

    def after_update(
        self,
        *,
        loss: float,
        gradient_norm: float,
        learning_rate: float,
        parameters_are_finite: bool,
        change_norm: float,
        state_lost: float,
    ) -> Outcome | None:
        """`change_norm` of all parameters together; `state_lost`: share of coordinates, 0 to 1."""
        if not parameters_are_finite:
            return Outcome.DIVERGED
        exploded = not math.isfinite(loss) or loss > self.explosion_bound
        self._exploded = self._exploded + 1 if exploded else 0
        # A NaN gradient is not zero: only an exact zero is no reason to move.
        stuck = change_norm <= self.negligible and gradient_norm != 0 and learning_rate != 0
        self._unmoved = self._unmoved + 1 if stuck else 0
        window = min(self.window, self.steps)
        if self._exploded >= window:
            return Outcome.DIVERGED
        if self._unmoved >= window or state_lost >= 0.5:
            return Outcome.FROZEN
        return None

    def after_the_last(self, validation_loss: float) -> Outcome:
        """The network that is left is judged by its loss on data: no further update will show it.

        A finite loss above the bound is no divergence by itself: that takes a window, and unlike
        NaN it is a number by which the run is ranked.
        """
        return Outcome.COMPLETED if math.isfinite(validation_loss) else Outcome.DIVERGED


def negligible_change(scale: float, precision: float, steps: int) -> float:
    """The change per update of which a whole budget is lost in rounding: precision scale / steps.

    At a learning rate of 1e-30 the weights stay as they are, to the bit, but biases that start at
    zero go to 1e-31, to 2e-31, ..., which changes nothing that the network computes. Here `steps`
    such changes, all in one direction, do not make up one rounding unit (`precision`) of initial
    weights of norm `scale`. Whatever learns, however slowly, moves further than that.
    """
    return precision * scale / steps


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
