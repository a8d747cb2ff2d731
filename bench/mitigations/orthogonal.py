"""Orthogonal initial weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network, draw_into
from bench.settings import Gain


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Mitigation):
    """Start the square weight matrices at gain times a random orthogonal matrix.

    W_0 = gain Q, Q from the Haar measure. All singular values of W_0 equal gain, so a linear
    network keeps gradient norms at gain 1 whatever its depth. Acts on the recurrent matrices (each
    gate's) or the hidden layers, in place of the architecture's own kind and gain.

    A gradient that is not finite propagates.

    Reference: Saxe, McClelland & Ganguli 2014, arXiv:1312.6120.
    """

    needs: ClassVar[tuple[str, ...]] = ("square_weights",)
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    gain: Gain

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for parameter, role in network.with_role("recurrent", "hidden"):
            draw_into(parameter, replace(role, kind="orthogonal", gain=self.gain), seed)
