"""Deep feed-forward network of highway layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._feedforward import FeedForwardNetwork
from bench.kernels.elementwise import sigmoid
from bench.records import Signature
from bench.settings import Annotated, Gain, PositiveInt, Range


class _Network(FeedForwardNetwork):
    def __init__(self, signature: Signature, settings: HighwayMLP) -> None:
        super().__init__(signature, settings)
        for layer in range(1, self.depth):
            bias = f"transform_bias_{layer}"
            self.roles[bias] = replace(self.roles[bias], kind="ones", gain=settings.transform_bias)

    def declare_layer(self, layer: int) -> None:
        width, bias = self.settings.hidden_size, f"transform_bias_{layer}"
        self.declare_map(f"weight_{layer}", f"bias_{layer}", "hidden", layer, width)
        self.declare_map(f"transform_{layer}", bias, "hidden", layer, width, gate="transform")
        for gate in ("", "transform"):
            self.site_widths[f"preactivation_{layer}_{gate}"] = width

    def layer(self, layer: int, hidden: Tensor) -> Tensor:
        result = self.activated(layer, self.affine(f"weight_{layer}", f"bias_{layer}", hidden))
        before = self.affine(f"transform_{layer}", f"transform_bias_{layer}", hidden)
        transform = sigmoid(self.at("preactivation", layer, "transform", before))
        return transform * result + (1 - transform) * hidden


@dataclass(frozen=True, kw_only=True)
class HighwayMLP:
    """Deep feed-forward network of highway layers, which learn how much of them is passed by.

    h_0 = f(W_0 x + b_0),  T = sigmoid(W_T h_{l-1} + b_T)
    h_l = T f(W_l h_{l-1} + b_l) + (1 - T) h_{l-1},  y = W_out h + b_out

    `depth` counts the hidden states as that of `mlp` does: one plain input layer, which changes the
    width, and depth - 1 highway layers. b_T starts at `transform_bias` in every unit: Srivastava et
    al. start it negative, at -1 to -3, so that at first most of h is carried on. The other biases
    start at zero; `kind` and `gain` are those of every weight matrix, W_T's too, but the readout.
    The carry gate is 1 - T, as in the paper's experiments, and not a gate of its own.

    Reference: Srivastava, Greff & Schmidhuber 2015, arXiv:1505.00387.
    """

    inputs: ClassVar[str] = "vector"
    gates: ClassVar[int] = 2
    stepwise: ClassVar[bool] = True
    provides: ClassVar[tuple[str, ...]] = ("square_weights", "preactivation", "layers")
    portable: ClassVar[bool] = True

    depth: Annotated[int, Range(at_least=2, at_most=1000)]
    hidden_size: PositiveInt
    activation: Literal["tanh", "relu", "selu", "gelu", "linear"]
    kind: Literal["gaussian", "orthogonal"]
    gain: Gain
    transform_bias: Annotated[float, Range(at_least=-30, at_most=0)]

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
