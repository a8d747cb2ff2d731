"""A penalty on the distance of the square weight matrices from orthogonal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.kernels.matrices import product
from bench.kernels.norms import sum_of_squares
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class SoftOrthogonality(Mitigation):
    """Pull the square weight matrices towards orthogonal ones.

    loss <- loss + coefficient sum of |W^T W - I|_F^2 over the recurrent matrices (each gate's by
    itself) or the hidden layers. The gradient, 4 coefficient W (W^T W - I), pulls every singular
    value towards 1 and grows with the third power of large ones: with a large gain it explodes
    itself unless coefficient and learning rate are small. Where a parametrisation computes the
    matrix, what it gives is penalised. A coefficient of 0 leaves the loss alone.

    Brock et al. sum the absolute values of W W^T - I over every layer instead of the squares.

    A gradient that is not finite propagates.

    Reference: Vorontsov, Trabelsi, Kadoury & Pal 2017, arXiv:1702.00071; Brock, Lim, Ritchie &
    Weston 2017, arXiv:1609.07093.
    """

    needs: ClassVar[tuple[str, ...]] = ("square_weights",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.001, 0.01, 0.1, 1.0)}

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        result = torch.zeros(())
        if self.coefficient:
            for name, role in network.names_of("recurrent", "hidden"):
                for weight in network.tensor(name).chunk(len(role.gates)):
                    identity = torch.eye(len(weight), dtype=weight.dtype)
                    result = result + sum_of_squares(product(weight.t(), weight) - identity)
        return self.coefficient * result
