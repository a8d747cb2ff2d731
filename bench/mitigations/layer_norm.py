"""Layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.normalisation import layer_norm
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import Positive


class _Normalisation(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        return layer_norm(values, self.gain, self.bias, self.eps)


@dataclass(frozen=True, kw_only=True)
class LayerNorm(Mitigation):
    """Normalise the pre-activations of each layer over its units.

    z <- gain (z - mean z) / sqrt(var z + eps) + bias, before the activation function, for every
    example, time step and gate by itself; gain (ones) and bias (zeros) are learnt. Rescaling all
    weights of a layer changes nothing. Ba et al. normalise W x and U h apart in the LSTM and its
    cell too; here the sum is normalised once.

    A gradient that is not finite propagates.

    Reference: Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4.
    """

    needs: ClassVar[tuple[str, ...]] = ("preactivation",)
    claims: ClassVar[tuple[str, ...]] = ("preactivation",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    eps: Positive

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        network.insert("preactivation", lambda width: _Normalisation(width, self.eps))
