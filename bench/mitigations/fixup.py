"""Fixup initialisation of residual networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.mitigations import Mitigation
from bench.mitigations._broadcast import everywhere
from bench.network import Network


class _Shifted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, values: Tensor) -> Tensor:
        return values + everywhere(self.bias, values)


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.multiplier = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, branch: Tensor, before: Tensor) -> Tensor:
        scaled = everywhere(self.multiplier, branch) * branch
        return before + (scaled + everywhere(self.bias, branch))


@dataclass(frozen=True, kw_only=True)
class Fixup(Mitigation):
    """Start residual branches at zero, and their first matrices small for the depth.

    W <- W L^(-1 / (2 m - 2)) for the first matrix of each branch; the last starts at zero, and so
    do the readout's weights; h_l = h_{l-1} + multiplier branch + bias. L is the number of blocks,
    m = 2 the matrices in each, so W <- W / sqrt(L); what is scaled are the architecture's own
    initial weights (Zhang et al. draw them as He et al. do: gain sqrt(2), ReLU). One update then
    moves the outputs by an amount that does not grow with depth. With the readout at zero, it alone
    gets a gradient in the first update.

    Of the paper's scalars there are, in each block, the multiplier (1 at first) and two of the four
    biases (0): before the activation function (the first layer's too), and after the multiplier. A
    bias before either matrix is left out: a vector of biases follows it here, which the paper's
    networks do not have.

    A gradient that is not finite propagates.

    Reference: Zhang, Dauphin & Ma 2019, arXiv:1901.09321, section 3.
    """

    needs: ClassVar[tuple[str, ...]] = ("branches", "preactivation", "skip")
    # A parametrisation that divides by the size of a matrix has nothing to divide by here.
    claims: ClassVar[tuple[str, ...]] = ("initial_weights", "parametrisation", "skip")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        with torch.no_grad():
            for first, last in network.branches:
                network.get_parameter(first).mul_(1 / math.sqrt(len(network.branches)))
                network.get_parameter(last).zero_()
            for readout, _ in network.with_role("readout"):
                readout.zero_()
        network.insert("preactivation", lambda _: _Shifted())
        network.insert("skip", lambda _: _Block())
