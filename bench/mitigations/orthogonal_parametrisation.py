"""Weight matrices that stay orthogonal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.matrices import matrix_exponential, product
from bench.mitigations import Mitigation
from bench.network import Network, draw_into
from bench.settings import Gain


class _Rotated(nn.Module):
    """exp(V - V^T) W_0 for each block; V takes the place of W_0, and starts at zero."""

    start: Tensor

    def __init__(self, start: Tensor, gates: int) -> None:
        super().__init__()
        self.gates = gates
        self.register_buffer("start", start.detach().clone())

    def forward(self, weight: Tensor) -> Tensor:
        pairs = zip(weight.chunk(self.gates), self.start.chunk(self.gates), strict=True)
        return torch.cat([product(matrix_exponential(v - v.t()), w) for v, w in pairs])

    def right_inverse(self, weight: Tensor) -> Tensor:
        return torch.zeros_like(weight)


@dataclass(frozen=True, kw_only=True)
class OrthogonalParametrisation(Mitigation):
    """Let the square weight matrices move among the orthogonal ones alone.

    W = exp(V - V^T) gain Q, with V = 0 at first and learnt, and Q fixed: a random orthogonal matrix
    from the seed, the one that `orthogonal` starts from. Every rotation of Q can be reached, as the
    exponential covers them all; the sign of its determinant stays. All singular values equal gain
    for ever. Acts on the recurrent matrices (each gate's) or the hidden layers.

    Lezcano-Casado & Martinez-Rubio parametrise the recurrent matrix of a network of their own
    (`exprnn`) with Q = I, start V at blocks of 2 x 2, and learn V at a tenth of the learning rate;
    here the architecture, its start and the rate stay. A penalty on the weights acts on V and pulls
    W towards gain Q.

    A gradient that is not finite propagates; where V itself is not finite W is NaN.

    Reference: Lezcano-Casado & Martinez-Rubio 2019, arXiv:1901.08428, section 3.
    """

    needs: ClassVar[tuple[str, ...]] = ("square_weights",)
    claims: ClassVar[tuple[str, ...]] = ("initial_weights", "parametrisation")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    gain: Gain

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for name, role in network.names_of("recurrent", "hidden"):
            weight = network.get_parameter(name)
            draw_into(weight, replace(role, kind="orthogonal", gain=self.gain), seed)
            network.reparametrise(name, _Rotated(weight, len(role.gates)))
