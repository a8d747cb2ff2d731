"""Identity initial weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network, draw_into
from bench.settings import Gain


@dataclass(frozen=True, kw_only=True)
class Identity(Mitigation):
    """Start the square weight matrices at gain times the identity.

    W_0 = gain I. At gain 1 a linear unit keeps its state, and the gradient its norm, until the
    first update; with ReLU units this is the IRNN. Le et al. start the other weights at
    N(0, 0.001^2); here they stay as the architecture draws them. Acts on the recurrent matrices
    (each gate's) or the hidden layers.

    A gradient that is not finite propagates.

    Reference: Le, Jaitly & Hinton 2015, arXiv:1504.00941.
    """

    needs: ClassVar[tuple[str, ...]] = ("square_weights",)
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    gain: Gain

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for parameter, role in network.with_role("recurrent", "hidden"):
            draw_into(parameter, replace(role, kind="identity", gain=self.gain), seed)
