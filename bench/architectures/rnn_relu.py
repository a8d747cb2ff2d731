"""The plain recurrent network with rectified linear units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.architectures._plain import PlainNetwork
from bench.kernels import sequence
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(PlainNetwork):
    activation = "relu"
    cell = sequence.RNN_RELU


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
        "feedback",
        "hidden_states",
        "activation",
        "no_shortcut",
        "plain_recurrence",
    )
    portable: ClassVar[bool] = True

    hidden_size: PositiveInt
    num_layers: PositiveInt
    kind: Literal["gaussian", "orthogonal", "identity"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
