"""A lower learning rate and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bench.mitigations import Mitigation
from bench.settings import Range


@dataclass(frozen=True, kw_only=True)
class SmallerLR(Mitigation):
    """Multiply the learning rate by a constant: the control that any clipping must beat.

    lr_t = factor lr at every update. Clipping shortens the steps, and so does this; what a
    mitigation gains over it, at an equal budget of tuning, is not owed to shorter steps alone.
    Under an optimiser that normalises its updates, as Adam, the two differ the most.

    A gradient that is not finite propagates.

    Reference: none; a control of this project.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    factor: Annotated[float, Range(above=0, at_most=1)]

    def schedule(self, step: int, steps: int) -> float:
        return self.factor
