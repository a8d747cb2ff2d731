"""Spectral normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.layers import linear
from bench.kernels.sums import lengths, total
from bench.mitigations import Mitigation
from bench.mitigations._broadcast import everywhere
from bench.network import Network, Role
from bench.seeding import Stream, on_grid
from bench.settings import Positive

ITERATIONS_AT_THE_START = 30
"""So that the initial weights are normalised too, and not only after some updates."""


class _Normalised(nn.Module):
    """bound W / sigma, block by block, each with its singular vectors u and v."""

    u: Tensor  # [gates, rows]
    v: Tensor  # [gates, columns]

    def __init__(self, weight: Tensor, role: Role, bound: float, seed: int) -> None:
        super().__init__()
        self.bound, self.gates = bound, len(role.gates)
        rows = len(weight) // self.gates
        stream = Stream("mitigation noise", "spectral_norm", role.name, role.layer, seed=seed)
        start = torch.from_numpy(on_grid(stream.normal((self.gates, rows)))).to(weight.dtype)
        self.register_buffer("u", start)
        self.register_buffer("v", weight.new_zeros(self.gates, weight.shape[1]))
        for _ in range(ITERATIONS_AT_THE_START):
            self._iterate(weight)

    def _iterate(self, weight: Tensor) -> None:
        """One step of the power method; new tensors, as the graph may hold the old ones."""
        blocks = weight.detach().chunk(self.gates)
        pairs = list(zip(self.u, blocks, strict=True))
        self.v = torch.stack([_unit(linear(u, block.t().contiguous())) for u, block in pairs])
        pairs = list(zip(self.v, blocks, strict=True))
        self.u = torch.stack([_unit(linear(v, block)) for v, block in pairs])

    def forward(self, weight: Tensor) -> Tensor:
        if self.training:
            self._iterate(weight)
        blocks = []
        for block, u, v in zip(weight.chunk(self.gates), self.u, self.v, strict=True):
            sigma = total(u * linear(v, block))
            blocks.append(block * everywhere(self.bound / sigma, block))
        return torch.cat(blocks)


def _unit(vector: Tensor) -> Tensor:
    length = lengths(vector[None])
    return vector / length if length > 0 else vector


@dataclass(frozen=True, kw_only=True)
class SpectralNorm(Mitigation):
    """Divide the square weight matrices by their largest singular value.

    W = bound V / sigma(V), V learnt; sigma(V) = u^T V v, with u and v from one step of the power
    method in each training pass, none in evaluation, and held fixed in the derivative. `bound` is 1
    in the paper. Acts on the matrices between hidden units (each gate's by itself), whose products
    over depth or time explode; Miyato et al. normalise those of input and output as well. u starts
    at random from the seed and is improved 30 times before training, so that it also holds for the
    initial weights; a matrix that is small is scaled up just so. A penalty on the weights acts on
    V, whose size does nothing.

    A gradient that is not finite propagates.

    Reference: Miyato, Kataoka, Koyama & Yoshida 2018, arXiv:1802.05957, eq. 8 and algorithm 1.
    """

    needs: ClassVar[tuple[str, ...]] = ("square_weights",)
    claims: ClassVar[tuple[str, ...]] = ("parametrisation",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"bound": (1.0, 2.0)}

    bound: Positive

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for name, role in network.names_of("recurrent", "hidden"):
            rule = _Normalised(network.tensor(name), role, self.bound, seed)
            network.reparametrise(name, rule)
