"""The plain recurrent network without an activation function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.architectures._plain import PlainNetwork
from bench.kernels import sequence
from bench.records import Signature
from bench.settings import Gain, PositiveInt


class _Network(PlainNetwork):
    activation = "linear"
    cell = sequence.RNN_LINEAR


@dataclass(frozen=True, kw_only=True)
class RNNLinear:
    """Plain recurrent network of linear units: the transition is the identity.

    h_t = W_in x_t + W h_{t-1} + b,  y_t = W_out h_t + b_out

    dh_t/dh_{t-k} = W^k whatever the inputs: gradients grow or shrink by the eigenvalues of W in the
    long run, and are kept for ever where W is orthogonal. Henaff et al. solve copying with an
    orthogonal W and adding with W = I, and give both solutions in closed form. Each layer has
    H (I + H + 1) parameters.

    Reference: Henaff, Szlam & LeCun 2016, arXiv:1602.06662.
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
