"""A forget gate that starts open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import Annotated, Range


@dataclass(frozen=True, kw_only=True)
class ForgetBias(Mitigation):
    """Start the bias of the gate that keeps the state at a given value.

    b_f = value: at h = 0 and x = 0 the gate stands at sigmoid(value), so a state is kept for about
    1 + exp(value) steps. Jozefowicz et al. use 1; Gers et al., who introduce the gate, start it
    open too. Acts on the LSTM's forget gate and on the GRU's z, which here is the share that is
    kept, in every layer.

    A gradient that is not finite propagates.

    Reference: Gers, Schmidhuber & Cummins 2000, Neural Computation 12; Jozefowicz, Zaremba &
    Sutskever 2015, ICML.
    """

    needs: ClassVar[tuple[str, ...]] = ("forget_gate",)
    # A normalisation before the gate takes the bias off again.
    claims: ClassVar[tuple[str, ...]] = ("initial_biases", "preactivation")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"value": (1.0, 2.0, 4.0, 8.0)}

    value: Annotated[float, Range(at_least=-100, at_most=100)]

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        with torch.no_grad():
            for parameter, role in network.with_role("bias"):
                for gate, block in zip(role.gates, parameter.chunk(len(role.gates)), strict=True):
                    if gate == network.forget_gate:
                        block.fill_(self.value)
