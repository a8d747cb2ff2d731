"""The plain recurrent network with rectified linear units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._recurrent import RecurrentNetwork, State
from bench.kernels import sequence
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(RecurrentNetwork):
    gates = ("",)
    cell = sequence.RNN_RELU

    def step(self, layer: int, inputs: Tensor, state: State) -> State:
        (before,) = self.preactivations(layer, inputs + linear(state[0], self.recurrent(layer)))
        return (ACTIVATIONS["relu"](before),)


@dataclass(frozen=True, kw_only=True)
class RNNReLU:
    """Plain recurrent network of rectified linear units.

    h_t = relu(W_in x_t + W h_{t-1} + b),  y_t = W_out h_t + b_out

    States are not bounded: they explode forward as the gradients do backward. With identity weights
    this is the IRNN of Le et al. 2015.

    Reference: Le, Jaitly & Hinton 2015, arXiv:1504.00941.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 1
    provides: ClassVar[tuple[str, ...]] = (
        "square_weights",
        "recurrent_weights",
        "preactivation",
        "state",
    )
    portable: ClassVar[bool] = True

    hidden_size: PositiveInt
    num_layers: PositiveInt
    kind: Literal["gaussian", "orthogonal", "identity"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
