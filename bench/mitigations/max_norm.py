"""A bound on the norm of each unit's incoming weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.norms import row_norms
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Threshold


@dataclass(frozen=True, kw_only=True)
class MaxNorm(Mitigation):
    """Project each unit's incoming weights onto a ball after every update.

    w <- w min(1, radius / |w|) for every row w of every weight matrix. Srivastava et al. use radii
    of 3 to 4. The initial weights are not projected before the first update.

    A gradient that is not finite propagates: the row it leaves is not finite and stays so.

    Reference: Srebro & Shraibman 2005; Srivastava et al. 2014, JMLR 15, section 5.1.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"radius": (0.5, 1.0, 2.0, 4.0)}

    radius: Threshold

    def project(
        self,
        network: Network,
        update: Update,
        previous: dict[str, Tensor],
    ) -> None:
        for weight, _ in network.with_role("input", "recurrent", "hidden", "readout"):
            norms = row_norms(weight)[:, None]
            # Where no row is too long the weights keep their bits.
            scale = torch.where(norms > self.radius, self.radius / norms, 1.0)
            weight.copy_(torch.where(norms > self.radius, weight * scale, weight))
