"""Weight normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.sums import lengths
from bench.mitigations import Mitigation
from bench.mitigations._broadcast import along_rows
from bench.network import Network


class _Normalised(nn.Module):
    """W from V, row by row; its gain has no role, so that penalties leave it alone."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.gain = nn.Parameter(lengths(weight.detach()))

    def forward(self, directions: Tensor) -> Tensor:
        norms = lengths(directions)
        # A row of zeros has no direction, and stays.
        ratio = self.gain / torch.where(norms > 0, norms, torch.ones_like(norms))
        return directions * along_rows(ratio, directions)


@dataclass(frozen=True, kw_only=True)
class WeightNorm(Mitigation):
    """Learn the length of each unit's incoming weights apart from their direction.

    w = g v / |v| for every row w of every weight matrix, with v and g learnt in its place; v starts
    at the initial w and g at |w|, so that at first the network is the same. The gradient of v is
    orthogonal to v, so under plain descent |v| only grows, and the steps in direction get shorter.
    A row of zeros has no direction and stays zero.
    A penalty on the weights acts on v, whose length does nothing. The paper's initial g and biases
    from the statistics of a batch are left out: initial weights are an axis of their own.

    A gradient that is not finite propagates.

    Reference: Salimans & Kingma 2016, arXiv:1602.07868, eq. 2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("parametrisation",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for name, _ in network.names_of("input", "recurrent", "hidden", "readout"):
            network.reparametrise(name, _Normalised(network.tensor(name)))
