"""The plain recurrent network with tanh units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.architectures._plain import PlainNetwork
from bench.kernels import sequence
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(PlainNetwork):
    activation = "tanh"
    cell = sequence.RNN_TANH


@dataclass(frozen=True, kw_only=True)
class RNNTanh:
    """Plain recurrent network of tanh units.

    h_t = tanh(W_in x_t + W h_{t-1} + b),  y_t = W_out h_t + b_out

    `kind` and `gain` are those of the initial recurrent matrix W: with gain g a Gaussian W has
    spectral radius near g, an orthogonal one has every singular value g. Gradients can only explode
    where the largest singular value of W exceeds 1 (Pascanu et al. 2013, section 2.1).

    Reference: Elman 1990, Finding structure in time; Pascanu, Mikolov & Bengio 2013, eq. 2.
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
