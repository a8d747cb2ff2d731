"""Residual connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.mitigations import Mitigation
from bench.network import Network


class _Sum(nn.Module):
    def forward(self, result: Tensor, before: Tensor) -> Tensor:
        return before + result


@dataclass(frozen=True, kw_only=True)
class Residual(Mitigation):
    """Add its input to what every layer hands on.

    h_l = h_{l-1} + f(W_l h_{l-1} + b_l), for all layers but the first, whose input is of another
    width. He et al. skip two layers or more at a time and apply f after the sum; here f stands
    inside and one layer is skipped, so that the weights are those of the plain network and nothing
    but the sum is new. `residual_mlp` has their branches of two matrices.

    A gradient that is not finite propagates.

    Reference: He, Zhang, Ren & Sun 2016, arXiv:1512.03385, eq. 1.
    """

    needs: ClassVar[tuple[str, ...]] = ("skip", "plain_layers")
    claims: ClassVar[tuple[str, ...]] = ("skip",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        network.insert("skip", lambda _: _Sum())
