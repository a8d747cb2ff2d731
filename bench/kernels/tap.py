"""What a pass through the network leaves for whoever looks: hidden states and dL/dh."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from enum import IntEnum

import torch
from torch import Tensor

from bench.kernels.norms import is_finite, norm


class Watch(IntEnum):
    """How much of dL/dh a backward pass keeps; each level includes the one before."""

    NOTHING = 0
    NORMS = 1
    GRADIENTS = 2


@dataclass(frozen=True)
class Nonfinite:
    """The first position whose hidden state is not finite."""

    position: int
    is_nan: bool


@dataclass
class Tap:
    """The hidden states of a recurrent layer, by time step, or of a deep network, by layer."""

    watch: Watch
    over_time: bool = True  # positions are time steps; else layers
    states: Tensor | None = None  # [positions, batch, hidden]; None where none were kept
    nonfinite: Nonfinite | None = None
    gradients: Tensor | None = None  # dL/dh through every path, shaped as states
    norms: Tensor | None = None  # float64 [positions]: |dL/dh| over batch and units
    retained: list[Tensor] = field(default_factory=list)  # the states one by one, on the step path

    def retain(self, state: Tensor) -> None:
        """Note one state of the step path; autograd leaves dL/dh with it if that is watched."""
        if self.nonfinite is None:
            self.nonfinite = first_nonfinite(state[None], len(self.retained))
        if self.watch and state.requires_grad:
            state.retain_grad()
        self.retained.append(state)

    def total_derivative(self) -> Tensor:
        """dL/dh [positions, batch, hidden]."""
        if self.gradients is None and self.retained and self.watch == Watch.GRADIENTS:
            self.gradients = torch.stack(self._step_gradients())
        if self.gradients is None:
            raise RuntimeError("dL/dh was not watched in this pass: set network.watch first")
        return self.gradients

    def derivative_norms(self) -> Tensor:
        """|dL/dh|, float64 [positions]."""
        if self.norms is None and self.retained and self.watch:
            values = [norm(gradient) for gradient in self._step_gradients()]
            self.norms = torch.tensor(values, dtype=torch.float64)
        if self.norms is None:
            raise RuntimeError("|dL/dh| was not watched in this pass: set network.watch first")
        return self.norms

    def _step_gradients(self) -> list[Tensor]:
        return [torch.zeros_like(h) if h.grad is None else h.grad for h in self.retained]


def first_nonfinite(states: Tensor, offset: int = 0) -> Nonfinite | None:
    """Of states [positions, batch, hidden]; `offset` is the position of the first."""
    for index, state in enumerate(states.detach()):
        if not is_finite(state):
            return Nonfinite(offset + index, bool(state.isnan().any()))
    return None


def leave_gradients(
    reference: weakref.ref[Tap], gradients: Tensor | None, norms: Tensor | None
) -> None:
    """Give a tap its dL/dh, if it is still wanted.

    A backward pass knows its tap by a weak reference: tap, states and graph would else hold one
    another, a cycle through C++ that the garbage collector cannot free.
    """
    tap = reference()
    if tap is not None:
        tap.gradients, tap.norms = gradients, norms
