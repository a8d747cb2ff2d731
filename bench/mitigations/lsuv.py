"""Layer-sequential unit-variance initial weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.sums import total
from bench.mitigations import Mitigation
from bench.network import Network, draw_into


class _Rescaling(nn.Module):
    """At a pre-activation: scales the weights that made it, and it, to unit variance."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, values: Tensor) -> Tensor:
        deviation = _standard_deviation(values)
        if not 0 < deviation < math.inf:  # units that are all off, or overflow
            return values
        self.weight.div_(deviation)
        if self.bias is None:
            return values / deviation
        return (values - self.bias) / deviation + self.bias


@dataclass(frozen=True, kw_only=True)
class LSUV(Mitigation):
    """Start orthonormal, then rescale layer after layer to pre-activations of unit variance.

    W_0 = Q / s,  Q with orthonormal rows or columns, s the standard deviation of W_0 h + b over
    units and examples of the first batch, at Q, where all layers below are rescaled already. The
    readout is a layer like the others. One division is exact while the biases are constant, so that
    the paper's loop (until the variance is within 0.1 of 1, at most 10 times) is not needed. A
    layer whose pre-activations do not vary keeps Q, and so does the second matrix of a residual
    branch, which no function follows. A normalisation that stands there already is not seen.

    A gradient that is not finite propagates.

    Reference: Mishkin & Matas 2016, arXiv:1511.06422, algorithm 1.
    """

    needs: ClassVar[tuple[str, ...]] = ("layers", "preactivation")
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for parameter, role in network.with_role("input", "hidden", "readout"):
            draw_into(parameter, replace(role, kind="orthogonal", gain=1.0), seed)
        there = network.sites
        network.sites = nn.ModuleDict({**dict(there.items()), **dict(_rescalings(network))})
        with torch.no_grad():
            outputs = network(inputs)
            for weight, _ in network.with_role("readout"):
                _Rescaling(weight, None)(outputs)
        network.sites = there


def _rescalings(network: Network) -> Iterator[tuple[str, _Rescaling]]:
    """One for every gate of every layer, under the name of its site."""
    biases = {
        (role.layer, gate): block.detach()
        for parameter, role in network.with_role("bias")
        for gate, block in zip(role.gates, parameter.chunk(len(role.gates)), strict=True)
    }
    for parameter, role in network.with_role("input", "hidden"):
        blocks = parameter.detach().chunk(len(role.gates))
        for gate, block in zip(role.gates, blocks, strict=True):
            bias = biases.get((role.layer, gate))
            yield f"preactivation_{role.layer}_{gate}", _Rescaling(block, bias)


def _standard_deviation(values: Tensor) -> float:
    centred = values.double()
    centred = centred - total(centred) / centred.numel()
    return math.sqrt(float(total(centred * centred)) / centred.numel())
