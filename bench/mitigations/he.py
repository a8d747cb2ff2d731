"""He initial weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network, draw_into


@dataclass(frozen=True, kw_only=True)
class He(Mitigation):
    """Start every weight matrix so that layers of ReLU units keep the mean square.

    W_0 = N(0, 2 / inputs): a ReLU halves the mean square, and the weights double it. Acts on all
    weight matrices, the readout too, each gate's by itself, whatever the activation function. The
    biases stay as they are.

    A gradient that is not finite propagates.

    Reference: He, Zhang, Ren & Sun 2015, arXiv:1502.01852, section 2.2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for parameter, role in network.with_role("input", "recurrent", "hidden", "readout"):
            draw_into(parameter, replace(role, kind="gaussian", gain=math.sqrt(2)), seed)
