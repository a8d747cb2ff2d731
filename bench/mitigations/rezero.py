"""ReZero: every layer starts as the identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.mitigations import Mitigation
from bench.mitigations._broadcast import everywhere
from bench.network import Network


class _Weighted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, result: Tensor, before: Tensor) -> Tensor:
        return before + everywhere(self.weight, result) * result


@dataclass(frozen=True, kw_only=True)
class ReZero(Mitigation):
    """Weight every layer or branch with a number that starts at zero, beside a skip.

    h_l = h_{l-1} + alpha_l F_l(h_{l-1}), alpha_l = 0 at first and learnt with the rest, where F_l
    is the layer f(W h + b) of a plain network or the branch of a residual one. The network starts
    as the identity from its first hidden state on, so gradients keep their norm whatever the depth;
    the weights inside F_l get their first gradient in the second update. The first layer, whose
    input is of another width, is left as it is.

    A gradient that is not finite propagates.

    Reference: Bachlechner et al. 2020, arXiv:2003.04887, eq. 1.
    """

    needs: ClassVar[tuple[str, ...]] = ("skip",)
    claims: ClassVar[tuple[str, ...]] = ("skip",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        network.insert("skip", lambda _: _Weighted())
