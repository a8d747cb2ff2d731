"""Root-mean-square normalisation."""

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
        self.width, self.eps = width, eps
        self.gain = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        # The mean of (z, -z) is zero and its variance the mean square of z.
        mirrored = torch.cat([values, -values], dim=-1)
        gain, bias = torch.cat([self.gain, self.gain]), torch.cat([self.bias, self.bias])
        return layer_norm(mirrored, gain, bias, self.eps)[..., : self.width]


@dataclass(frozen=True, kw_only=True)
class RMSNorm(Mitigation):
    """Normalise the pre-activations of each layer by their root mean square.

    z <- gain z / sqrt(mean z^2 + eps) + bias, before the activation function, for every example,
    time step and gate by itself; gain (ones) and bias (zeros) are learnt. Nothing is centred, which
    is all that tells it from `layer_norm`. Rescaling all weights of a layer changes nothing. The
    layer's own bias is inside z here; in the paper the bias after the normalisation is the only
    one. The paper has no eps; its code has.

    A gradient that is not finite propagates.

    Reference: Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
    """

    needs: ClassVar[tuple[str, ...]] = ("preactivation",)
    claims: ClassVar[tuple[str, ...]] = ("preactivation",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    eps: Positive

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        network.insert("preactivation", lambda width: _Normalisation(width, self.eps))
