"""Clipping by the norm of the whole gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.kernels.norms import scale_
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Threshold


@dataclass(frozen=True, kw_only=True)
class ClipNorm(Mitigation):
    """Rescale the whole gradient to at most a given norm.

    g <- g min(1, threshold / |g|), |g| over all parameters together. Pascanu et al. use 1 to 45
    depending on the task. The norm is taken in float64, so a finite gradient of 1e20 is scaled down
    and not, as by torch.nn.utils.clip_grad_norm_, to zero.

    A gradient that is not finite has no direction to keep: it propagates unchanged.

    Reference: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, algorithm 1.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.1, 1.0, 10.0, 100.0)}

    threshold: Threshold

    def transform(self, network: Network, update: Update) -> None:
        norm = update.gradient_norm
        if math.isfinite(norm) and norm > self.threshold:
            scale_(
                (p.grad for p in network.parameters() if p.grad is not None), self.threshold / norm
            )
