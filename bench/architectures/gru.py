"""Gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._recurrent import RecurrentNetwork, Settings, State
from bench.kernels import sequence
from bench.kernels.elementwise import sigmoid, tanh
from bench.kernels.layers import linear
from bench.network import Role
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(RecurrentNetwork):
    gates = ("r", "z", "n")
    cell = sequence.GRU
    forget_gate = "z"

    def __init__(self, signature: Signature, settings: Settings) -> None:
        super().__init__(signature, settings)
        for layer in range(self.num_layers):
            # Inside the reset gate's reach, so it cannot be merged into the input's bias.
            role = Role(name="bias", layer=layer, gates=("candidate",))
            self.declare(f"candidate_bias_{layer}", (self.hidden_size,), role)

    def weights(self, layer: int) -> list[Tensor]:
        return [*super().weights(layer), self.tensor(f"candidate_bias_{layer}")]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,), (recurrent, candidate_bias) = state, weights
        seen = self.feedback(layer, before)
        in_r, in_z, in_n = inputs.chunk(3, dim=1)
        to_r, to_z, to_n = recurrent.chunk(3)
        rec_r, rec_z = linear(seen, to_r), linear(seen, to_z)
        candidate = linear(seen, to_n, candidate_bias)
        r = sigmoid(self.at("preactivation", layer, "r", in_r + rec_r))
        z = sigmoid(self.at("preactivation", layer, "z", in_z + rec_z))
        n = tanh(self.at("preactivation", layer, "n", in_n + r * candidate))
        return ((1 - z) * n + z * before,)


@dataclass(frozen=True, kw_only=True)
class GRU:
    """Gated recurrent unit, the reset gate applied after the recurrent product.

    r, z = sigmoid(W x_t + U h_{t-1} + b),  n = tanh(W x_t + b + r (U h_{t-1} + c))
    h_t = (1 - z) n + z h_{t-1}

    This is cuDNN's and torch.nn.GRU's variant; Cho et al. apply r to h_{t-1} before the product.
    All biases start at zero; `kind` and `gain` are those of each gate's U.

    Reference: Cho et al. 2014, arXiv:1406.1078.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 3
    provides: ClassVar[tuple[str, ...]] = (
        "square_weights",
        "recurrent_weights",
        "preactivation",
        "state",
        "feedback",
        "hidden_states",
        "forget_gate",
        "carry",
    )
    portable: ClassVar[bool] = True

    hidden_size: PositiveInt
    num_layers: PositiveInt
    kind: Literal["gaussian", "orthogonal", "identity"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
