"""Gradient centralisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.kernels.layers import linear
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Annotated, Range


@dataclass(frozen=True, kw_only=True)
class GradientCentralisation(Mitigation):
    """Take its mean off the gradient of each unit's incoming weights.

    g_i <- g_i - share mean(g_i) for every row i of every weight matrix. The paper takes the whole
    mean off, share = 1; share = 0 leaves the gradient alone. It cannot make a row's norm larger.

    A gradient that is not finite propagates.

    Reference: Yong, Huang, Hua & Zhang 2020, arXiv:2004.01461, eq. 1.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    share: Annotated[float, Range(at_least=0, at_most=1)]

    def transform(self, network: Network, update: Update) -> None:
        if self.share == 0:
            return
        for weight, _ in network.with_role("input", "recurrent", "hidden", "readout"):
            gradient = weight.grad
            assert gradient is not None
            # A mean by a product of ones: torch's own sum depends on the processor.
            means = linear(gradient, torch.full_like(gradient[:1], 1 / gradient.shape[1]))
            gradient.sub_(means * self.share)
