"""Deep feed-forward network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear, stack
from bench.kernels.tap import Tap
from bench.network import Network, Role
from bench.records import Signature
from bench.settings import Annotated, Gain, PositiveInt, Range


class _Network(Network):
    def __init__(self, signature: Signature, settings: MLP) -> None:
        super().__init__()
        self.depth, self.activation = settings.depth, settings.activation
        width = settings.hidden_size
        for layer in range(self.depth):
            first = layer == 0
            weight = Role(
                name="input" if first else "hidden",
                layer=layer,
                kind=settings.kind,
                gain=settings.gain,
            )
            columns = signature.input_size if first else width
            self.declare(f"weight_{layer}", (width, columns), weight)
            self.declare(f"bias_{layer}", (width,), Role(name="bias", layer=layer))
            self.site_widths[f"preactivation_{layer}_"] = width
            if not first:  # the first layer's input is of another width
                self.site_widths[f"skip_{layer}_"] = width
        readout = Role(name="readout", layer=self.depth, kind="gaussian")
        self.declare("readout", (signature.output_size, width), readout)
        self.declare("readout_bias", (signature.output_size,), Role(name="bias", layer=self.depth))

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs [batch, O] from inputs [batch, I]."""
        self.begin()
        tap = Tap(self.watch, over_time=False)
        self.trace = [tap]
        layers = range(self.depth)
        weights = [self.tensor(f"weight_{layer}") for layer in layers]
        biases = [self.tensor(f"bias_{layer}") for layer in layers]
        if len(self.sites) or self.states_are_read:
            hidden = self._layer_by_layer(inputs, weights, biases, tap)
        else:
            hidden = stack(inputs, weights, biases, self.activation, tap)
        return linear(hidden, self.tensor("readout"), self.tensor("readout_bias"))

    def _layer_by_layer(
        self, hidden: Tensor, weights: list[Tensor], biases: list[Tensor], tap: Tap
    ) -> Tensor:
        states = []
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            before = self.at("preactivation", layer, "", linear(hidden, weight, bias))
            hidden = self.at("skip", layer, "", ACTIVATIONS[self.activation](before), hidden)
            tap.retain(hidden)
            states.append(hidden)
        tap.states = torch.stack(states)
        return hidden


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
        "layers",
    )
    portable: ClassVar[bool] = True

    depth: Annotated[int, Range(at_least=2, at_most=1000)]
    hidden_size: PositiveInt
    activation: Literal["tanh", "relu", "selu", "gelu", "linear"]
    kind: Literal["gaussian", "orthogonal"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
