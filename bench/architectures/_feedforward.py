"""What the feed-forward architectures share: an input layer, equally wide layers, a readout."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from bench import initial_weights
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear
from bench.kernels.tap import Tap
from bench.network import Network, Role, RoleName
from bench.records import Signature


class Settings(Protocol):
    """The settings that every feed-forward architecture has."""

    @property
    def depth(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def activation(self) -> str: ...
    @property
    def kind(self) -> initial_weights.Kind: ...
    @property
    def gain(self) -> float: ...


class FeedForwardNetwork(Network):
    """h_0 = f(W_0 x + b_0), then h_l of `layer` for l = 1 .. depth - 1; y = W_out h + b_out.

    `kind` and `gain` are those of every weight matrix but the readout; biases start at zero.
    """

    def __init__(self, signature: Signature, settings: Settings) -> None:
        super().__init__()
        self.depth, self.function = settings.depth, settings.activation
        self.settings, width = settings, settings.hidden_size
        self.declare_map("weight_0", "bias_0", "input", 0, signature.input_size)
        self.site_widths["preactivation_0_"] = width
        for layer in range(1, self.depth):
            self.declare_layer(layer)
        readout = Role(name="readout", layer=self.depth, kind="gaussian")
        self.declare("readout", (signature.output_size, width), readout)
        self.declare("readout_bias", (signature.output_size,), Role(name="bias", layer=self.depth))

    def declare_map(
        self, weight: str, bias: str, name: RoleName, layer: int, columns: int, gate: str = ""
    ) -> None:
        """A matrix [hidden, columns] and a bias of zeros that follows it."""
        width, kind, gain = self.settings.hidden_size, self.settings.kind, self.settings.gain
        role = Role(name=name, layer=layer, gates=(gate,), kind=kind, gain=gain)
        self.declare(weight, (width, columns), role)
        self.declare(bias, (width,), Role(name="bias", layer=layer, gates=(gate,)))

    @abstractmethod
    def declare_layer(self, layer: int) -> None:
        """The parameters and sites of a layer that sees hidden units."""

    @abstractmethod
    def layer(self, layer: int, hidden: Tensor) -> Tensor:
        """h_l from h_{l-1}, both [batch, hidden], for l >= 1."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs [batch, O] from inputs [batch, I]."""
        self.begin()
        tap = Tap(self.watch, over_time=False)
        self.trace = [tap]
        hidden = self.through(inputs, tap)
        return linear(hidden, self.tensor("readout"), self.tensor("readout_bias"))

    def through(self, inputs: Tensor, tap: Tap) -> Tensor:
        """The last hidden state, layer by layer; in a watched pass every dL/dh_l is kept."""
        states = [self.activated(0, self.affine("weight_0", "bias_0", inputs))]
        tap.retain(states[0])
        for layer in range(1, self.depth):
            states.append(self.layer(layer, states[-1]))
            tap.retain(states[-1])
        tap.states = torch.stack(states)
        return states[-1]

    def affine(self, weight: str, bias: str, values: Tensor) -> Tensor:
        return linear(values, self.tensor(weight), self.tensor(bias))

    def activated(self, layer: int, before: Tensor) -> Tensor:
        """f of pre-activations that have passed their site."""
        return ACTIVATIONS[self.function](self.at("preactivation", layer, "", before))
