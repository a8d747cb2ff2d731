"""Deep feed-forward network of residual blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._feedforward import FeedForwardNetwork
from bench.records import Signature
from bench.settings import Annotated, Gain, PositiveInt, Range


class _Network(FeedForwardNetwork):
    def __init__(self, signature: Signature, settings: ResidualMLP) -> None:
        super().__init__(signature, settings)
        self.activation = settings.activation

    def declare_layer(self, layer: int) -> None:
        width = self.settings.hidden_size
        names = (f"weight_{layer}", f"second_{layer}")
        self.declare_map(names[0], f"bias_{layer}", "hidden", layer, width)
        self.declare_map(names[1], f"second_bias_{layer}", "hidden", layer, width, gate="second")
        self.branches = (*self.branches, names)
        self.site_widths[f"preactivation_{layer}_"] = width
        self.site_widths[f"skip_{layer}_"] = width

    def layer(self, layer: int, hidden: Tensor) -> Tensor:
        inner = self.activated(layer, self.affine(f"weight_{layer}", f"bias_{layer}", hidden))
        branch = self.affine(f"second_{layer}", f"second_bias_{layer}", inner)
        if f"skip_{layer}_" in self.sites:
            return self.at("skip", layer, "", branch, hidden)
        return hidden + branch


@dataclass(frozen=True, kw_only=True)
class ResidualMLP:
    """Deep feed-forward network of residual blocks, each of two weight matrices.

    h_0 = f(W_0 x + b_0),  h_l = h_{l-1} + V_l f(W_l h_{l-1} + b_l) + c_l,  y = W_out h + b_out

    `depth` counts the hidden states as that of `mlp` does: one input layer and depth - 1 blocks, so
    2 (depth - 1) square matrices. Nothing is applied after the sum (He et al. 2016b, without their
    normalisation), so that a branch of zero leaves the identity. At the site `skip` a module gets
    the branch V_l f(...) + c_l before it is added, with h_{l-1}, and returns h_l. Biases start at
    zero; `kind` and `gain` are those of every weight matrix but the readout.

    Reference: He et al. 2016, arXiv:1512.03385; without activation after the sum: He et al. 2016b,
    arXiv:1603.05027.
    """

    inputs: ClassVar[str] = "vector"
    gates: ClassVar[int] = 2
    stepwise: ClassVar[bool] = True
    provides: ClassVar[tuple[str, ...]] = (
        "square_weights",
        "preactivation",
        "skip",
        "activation",
        "layers",
        "branches",
    )
    portable: ClassVar[bool] = True

    depth: Annotated[int, Range(at_least=2, at_most=1000)]
    hidden_size: PositiveInt
    activation: Literal["tanh", "relu", "selu", "gelu", "linear"]
    kind: Literal["gaussian", "orthogonal"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
