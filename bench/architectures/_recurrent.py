"""What the recurrent architectures share: stacked layers, and two ways through a sequence.

The whole-sequence path runs a kernel; the step path runs `step`, ordinary PyTorch, and is taken
when a mitigation stands at a site. Both give the same numbers up to rounding.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from bench import initial_weights
from bench.kernels.layers import linear
from bench.kernels.sequence import Cell, whole_sequence
from bench.kernels.tap import Tap
from bench.network import Network, Role
from bench.records import Signature

State = tuple[Tensor, ...]
"""What a layer hands to its next time step; the first is h [batch, hidden]."""


class Settings(Protocol):
    """The settings that every recurrent architecture has."""

    @property
    def hidden_size(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def kind(self) -> initial_weights.Kind: ...
    @property
    def gain(self) -> float: ...


class RecurrentNetwork(Network):
    """Layers with input weights [G H, I], recurrent weights [G H, H], biases [G H]; a readout.

    G blocks of rows, one for each gate. Input and readout weights are Gaussian with gain 1, biases
    zero; `kind` and `gain` are those of the recurrent weights.
    """

    gates: ClassVar[tuple[str, ...]]
    cell: ClassVar[Cell]  # the kernel of a whole sequence
    num_states: ClassVar[int] = 1  # tensors in a State

    def __init__(self, signature: Signature, settings: Settings) -> None:
        super().__init__()
        hidden = self.hidden_size = settings.hidden_size
        self.num_layers, self.output_steps = settings.num_layers, signature.output_steps
        rows = len(self.gates) * hidden
        for layer in range(self.num_layers):
            columns = signature.input_size if layer == 0 else hidden
            role = Role(name="input", layer=layer, gates=self.gates, kind="gaussian")
            self.declare(f"input_{layer}", (rows, columns), role)
            role = replace(role, name="recurrent", kind=settings.kind, gain=settings.gain)
            self.declare(f"recurrent_{layer}", (rows, hidden), role)
            self.declare(f"bias_{layer}", (rows,), Role(name="bias", layer=layer, gates=self.gates))
            for gate in self.gates:
                self.site_widths[f"preactivation_{layer}_{gate}"] = hidden
            self.site_widths[f"state_{layer}_"] = hidden
        top = self.num_layers
        readout = Role(name="readout", layer=top, kind="gaussian")
        self.declare("readout", (signature.output_size, hidden), readout)
        self.declare("readout_bias", (signature.output_size,), Role(name="bias", layer=top))

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs [output_steps, batch, O] at the last steps, from inputs [time, batch, I]."""
        self.trace = [Tap(self.watch) for _ in range(self.num_layers)]
        sequence = inputs
        for layer, tap in enumerate(self.trace):
            last = self.output_steps if layer == self.num_layers - 1 else len(inputs)
            if len(self.sites):
                sequence = self.step_by_step(layer, sequence, tap)[-last:]
            else:
                sequence = whole_sequence(
                    self.cell, sequence, self.weights(layer), tap, last=last, segment=self.segment
                )
        return linear(sequence, self.tensor("readout"), self.tensor("readout_bias"))

    def weights(self, layer: int) -> list[Tensor]:
        """What the kernel takes: input weights, recurrent weights, biases."""
        return [self.tensor(f"{name}_{layer}") for name in ("input", "recurrent", "bias")]

    def recurrent(self, layer: int) -> Tensor:
        return self.tensor(f"recurrent_{layer}")

    def step_by_step(self, layer: int, sequence: Tensor, tap: Tap) -> Tensor:
        """h [time, batch, hidden] through `step`; in a watched pass every dL/dh_t is kept."""
        projected = linear(sequence, self.tensor(f"input_{layer}"), self.tensor(f"bias_{layer}"))
        state: State = (
            projected.new_zeros(projected.shape[1], self.hidden_size),
        ) * self.num_states
        states = []
        for inputs in projected:
            state = self.step(layer, inputs, state)
            state = (self.at("state", layer, "", state[0]), *state[1:])
            tap.retain(state[0])
            states.append(state[0])
        tap.states = torch.stack(states)
        return tap.states

    def preactivations(self, layer: int, *blocks: Tensor) -> Sequence[Tensor]:
        """Each gate's block passed through its site, in the order of `gates`."""
        return [
            self.at("preactivation", layer, gate, block)
            for gate, block in zip(self.gates, blocks, strict=True)
        ]

    @abstractmethod
    def step(self, layer: int, inputs: Tensor, state: State) -> State:
        """One time step in ordinary PyTorch; `inputs` is W_in x_t + b, [batch, G H]."""
