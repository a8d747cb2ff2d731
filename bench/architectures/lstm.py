"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._recurrent import RecurrentNetwork, State
from bench.kernels import sequence
from bench.kernels.elementwise import sigmoid, tanh
from bench.kernels.layers import linear
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(RecurrentNetwork):
    gates = ("i", "f", "g", "o")
    cell = sequence.LSTM
    states = ("", "cell")
    forget_gate, input_gate = "f", "i"

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        hidden, cell = state
        blocks = (inputs + linear(self.feedback(layer, hidden), weights[0])).chunk(4, dim=1)
        i, f, g, o = self.preactivations(layer, *blocks)
        cell = sigmoid(f) * cell + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(cell), cell


@dataclass(frozen=True, kw_only=True)
class LSTM:
    """Long short-term memory with a forget gate, without peepholes.

    i, f, o = sigmoid(W x_t + U h_{t-1} + b),  g = tanh(W x_t + U h_{t-1} + b)
    c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)

    All biases start at zero, the forget gate's too; `kind` and `gain` are those of each gate's U.

    Reference: Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 4
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
