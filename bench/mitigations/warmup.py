"""A learning rate that rises from near zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.mitigations import Mitigation
from bench.settings import PositiveInt


@dataclass(frozen=True, kw_only=True)
class Warmup(Mitigation):
    """Raise the learning rate linearly over the first updates.

    lr_t = lr min(1, t / updates), t from 1; `updates` = 1 is no warm-up.

    A gradient that is not finite propagates.

    Reference: Goyal et al. 2017, arXiv:1706.02677, section 2.2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("schedule",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[int, ...]]] = {"updates": (30, 100, 300, 1000)}

    updates: PositiveInt

    def schedule(self, step: int, steps: int) -> float:
        return min(1.0, step / self.updates)
