"""Deep feed-forward network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.architectures._feedforward import FeedForwardNetwork
from bench.kernels.layers import stack
from bench.kernels.tap import Tap
from bench.records import Signature
from bench.settings import Annotated, Gain, PositiveInt, Range


class _Network(FeedForwardNetwork):
    def __init__(self, signature: Signature, settings: MLP) -> None:
        super().__init__(signature, settings)
        self.activation = settings.activation

    def declare_layer(self, layer: int) -> None:
        width = self.settings.hidden_size
        self.declare_map(f"weight_{layer}", f"bias_{layer}", "hidden", layer, width)
        self.site_widths[f"preactivation_{layer}_"] = width
        self.site_widths[f"skip_{layer}_"] = width  # the first layer's input is of another width

    def through(self, inputs: Tensor, tap: Tap) -> Tensor:
        """By the kernel of the whole stack, unless something stands between its layers."""
        if len(self.sites) or self.states_are_read:
            return super().through(inputs, tap)
        layers = range(self.depth)
        weights = [self.tensor(f"weight_{layer}") for layer in layers]
        biases = [self.tensor(f"bias_{layer}") for layer in layers]
        return stack(inputs, weights, biases, self.function, tap)

    def layer(self, layer: int, hidden: Tensor) -> Tensor:
        before = self.affine(f"weight_{layer}", f"bias_{layer}", hidden)
        return self.at("skip", layer, "", self.activated(layer, before), hidden)


@dataclass(frozen=True, kw_only=True)
class MLP:
    """Deep feed-forward network of equally wide layers, without skips or normalisation.

    h_l = f(W_l h_{l-1} + b_l),  y = W_out h_L + b_out

    Squared gradients grow by chi_1 = gain^2 E[f'(z)^2] per layer (Schoenholz et al. 2017): at a
    gain above sqrt(2) (ReLU) or 1 (tanh near the origin, linear) they explode with depth.
    Biases start at zero; `kind` and `gain` are those of every weight matrix but the readout.

    Reference: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232.
    """

    inputs: ClassVar[str] = "vector"
    gates: ClassVar[int] = 1
    provides: ClassVar[tuple[str, ...]] = (
        "square_weights",
        "preactivation",
        "skip",
        "activation",
        "no_shortcut",
        "layers",
        "plain_layers",
    )
    portable: ClassVar[bool] = True

    depth: Annotated[int, Range(at_least=2, at_most=1000)]
    hidden_size: PositiveInt
    activation: Literal["tanh", "relu", "selu", "gelu", "linear"]
    kind: Literal["gaussian", "orthogonal"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
