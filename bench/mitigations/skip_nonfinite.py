"""Leave out the updates whose gradient is not finite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.mitigations import Mitigation, Update
from bench.network import Network


@dataclass(frozen=True, kw_only=True)
class SkipNonfinite(Mitigation):
    """Leave out every update whose gradient holds NaN or infinity; finite ones are left alone.

    theta_t = theta_{t-1} where |g_t| is not finite, and no state of the optimiser changes. A
    control: what a gradient scaler or a guard does, without any clipping. A run that only skips
    is found to be frozen, or diverged where its loss is not finite either.

    Skips.

    Reference: the guard of mixed-precision training, Micikevicius et al. 2018, arXiv:1710.03740.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "skips"
    portable: ClassVar[bool] = True

    def transform(self, network: Network, update: Update) -> None:
        if not math.isfinite(update.gradient_norm):
            update.skip = True
