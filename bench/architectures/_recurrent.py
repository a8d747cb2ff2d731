"""What the recurrent architectures share: stacked layers, and two ways through a sequence.

The whole-sequence path runs a kernel, where the architecture has one; the step path runs `step`,
ordinary PyTorch, and is taken when there is no kernel or a mitigation stands at a site. Both give
the same numbers up to rounding.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from bench.kernels.layers import linear
from bench.kernels.sequence import Cell, whole_sequence
from bench.kernels.tap import Tap
from bench.network import Network, Role, Site
from bench.records import Signature

State = tuple[Tensor, ...]
"""What a layer hands to its next time step; the first is h [batch, hidden]."""


class Settings(Protocol):
    """The settings that every recurrent architecture has."""

    @property
    def hidden_size(self) -> int: ...
    @property
    def num_layers(self) -> int: ...


class RecurrentNetwork(Network):
    """Layers with input weights [G H, I], recurrent weights [G H, H], biases [G H]; a readout.

    G blocks of rows, one for each gate. Input and readout weights are Gaussian with gain 1, biases
    zero; `kind` and `gain` are those of the recurrent weights.
    """

    gates: ClassVar[tuple[str, ...]]
    cell: ClassVar[Cell | None] = None  # the kernel of a whole sequence
    states: ClassVar[tuple[str, ...]] = ("",)  # a name for each tensor of a State
    numbers: ClassVar[int] = 1  # of each unit in a state: 2 where it is complex
    places: ClassVar[tuple[Site, ...]] = ("preactivation", "state", "feedback")

    def __init__(self, signature: Signature, settings: Settings) -> None:
        super().__init__()
        hidden = self.hidden_size = settings.hidden_size
        self.num_layers, self.output_steps = settings.num_layers, signature.output_steps
        for layer in range(self.num_layers):
            columns = signature.input_size if layer == 0 else hidden
            self.declare_layer(layer, columns, settings)
            parts = {"preactivation": self.gates, "state": self.states, "feedback": ("",)}
            for site in self.places:
                width = hidden * self.numbers if site == "state" else hidden
                for part in parts[site]:
                    self.site_widths[f"{site}_{layer}_{part}"] = width
        top = self.num_layers
        readout = Role(name="readout", layer=top, kind="gaussian")
        self.declare("readout", (signature.output_size, hidden), readout)
        self.declare("readout_bias", (signature.output_size,), Role(name="bias", layer=top))

    def declare_layer(self, layer: int, columns: int, settings: Any) -> None:
        """The parameters of one layer that sees `columns` features; `settings`: the member's."""
        rows = len(self.gates) * self.hidden_size
        role = Role(name="input", layer=layer, gates=self.gates, kind="gaussian")
        self.declare(f"input_{layer}", (rows, columns), role)
        role = replace(role, name="recurrent", kind=settings.kind, gain=settings.gain)
        self.declare(f"recurrent_{layer}", (rows, self.hidden_size), role)
        self.declare(f"bias_{layer}", (rows,), Role(name="bias", layer=layer, gates=self.gates))

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs [output_steps, batch, O] at the last steps, from inputs [time, batch, I]."""
        self.begin()
        self.trace = [Tap(self.watch) for _ in range(self.num_layers)]
        sequence = inputs
        for layer, tap in enumerate(self.trace):
            last = self.output_steps if layer == self.num_layers - 1 else len(inputs)
            if len(self.sites):
                states = self.step_by_step(layer, sequence, tap)
            else:
                wanted = len(inputs) if self.states_are_read else last
                states = self.whole(layer, sequence, tap, wanted)
                if self.states_are_read:
                    tap.states = states
            sequence = self.outputs(layer, sequence[-last:], states[-last:])
        return linear(sequence, self.tensor("readout"), self.tensor("readout_bias"))

    def weights(self, layer: int) -> list[Tensor]:
        """What a pass through a layer computes with: W_in, W, b, and what else a step takes."""
        return [self.tensor(f"{name}_{layer}") for name in ("input", "recurrent", "bias")]

    def whole(self, layer: int, sequence: Tensor, tap: Tap, last: int) -> Tensor:
        """The states of the `last` steps at least, where nothing stands at a site."""
        if self.cell is None:
            return self.step_by_step(layer, sequence, tap)
        weights = self.weights(layer)
        return whole_sequence(self.cell, sequence, weights, tap, last=last, segment=self.segment)

    def outputs(self, layer: int, inputs: Tensor, states: Tensor) -> Tensor:
        """What a layer hands on: its states h [time, batch, hidden], unless a cell says else."""
        del layer, inputs
        return states

    def step_by_step(self, layer: int, sequence: Tensor, tap: Tap) -> Tensor:
        """h [time, batch, hidden] through `step`; in a watched pass every dL/dh_t is kept."""
        input_weights, recurrent, bias, *others = self.weights(layer)
        projected = linear(sequence, input_weights, bias)
        width = self.hidden_size * self.numbers
        state = (projected.new_zeros(projected.shape[1], width),) * len(self.states)
        states = []
        for inputs in projected:
            state = self.step(layer, inputs, state, (recurrent, *others))
            state = tuple(
                self.at("state", layer, name, value)
                for name, value in zip(self.states, state, strict=True)
            )
            tap.retain(state[0])
            states.append(state[0])
            state = tuple(
                self.onward(layer, name, value)
                for name, value in zip(self.states, state, strict=True)
            )
        tap.states = torch.stack(states)
        return tap.states

    def feedback(self, layer: int, state: Tensor) -> Tensor:
        """What the recurrent product sees of h [batch, hidden]."""
        return self.at("feedback", layer, "", state)

    def preactivations(self, layer: int, *blocks: Tensor) -> Sequence[Tensor]:
        """Each gate's block passed through its site, in the order of `gates`."""
        return [
            self.at("preactivation", layer, gate, block)
            for gate, block in zip(self.gates, blocks, strict=True)
        ]

    @abstractmethod
    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        """One time step in ordinary PyTorch; `inputs` is W_in x_t + b, [batch, G H].

        `weights` are what `weights(layer)` gives beside W_in and b: what is derived from the
        parameters is computed there, once a pass.
        """
