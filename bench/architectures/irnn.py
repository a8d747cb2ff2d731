"""The plain ReLU network that starts from the identity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.architectures._plain import PlainNetwork
from bench.kernels import sequence
from bench.network import Role
from bench.records import Signature
from bench.settings import Annotated, Gain, PositiveInt, Range


class _Network(PlainNetwork):
    activation = "relu"
    cell = sequence.RNN_RELU

    def __init__(self, signature: Signature, settings: IRNN) -> None:
        super().__init__(signature, settings)
        small = settings.deviation * math.sqrt(self.hidden_size)
        self.roles["readout"] = Role(
            name="readout", layer=self.num_layers, kind="gaussian", gain=small
        )

    def declare_layer(self, layer: int, columns: int, settings: Any) -> None:
        hidden = self.hidden_size
        # A Gaussian of gain g has the deviation g / sqrt(columns).
        small = settings.deviation * math.sqrt(columns)
        role = Role(name="input", layer=layer, kind="gaussian", gain=small)
        self.declare(f"input_{layer}", (hidden, columns), role)
        role = Role(name="recurrent", layer=layer, kind="identity", gain=settings.gain)
        self.declare(f"recurrent_{layer}", (hidden, hidden), role)
        self.declare(f"bias_{layer}", (hidden,), Role(name="bias", layer=layer))


@dataclass(frozen=True, kw_only=True)
class IRNN:
    """Plain network of rectified linear units whose recurrent weights start at the identity.

    h_t = relu(W_in x_t + W h_{t-1} + b),  y_t = W_out h_t + b_out,  W_0 = gain I

    At gain 1 a unit keeps its state, and the gradient its norm, until the first update. All other
    weights, those of the readout too, start at N(0, deviation^2), biases at zero. Le et al. use
    gain 1 and deviation 0.001, and gain 0.01 for speech. It is `rnn_relu` with another start: each
    layer has H (I + H + 1) parameters.

    Reference: Le, Jaitly & Hinton 2015, arXiv:1504.00941, section 3.
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
    gain: Gain
    deviation: Annotated[float, Range(at_least=1e-5)]

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
