"""Where a backward pass leaves what it knows of the hidden states."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Tap:
    """The states of one layer, and dL/d(state) after a backward pass that was `watched`."""

    watched: bool
    states: Tensor | None = None  # [time, batch, hidden], or [batch, hidden] of a feed-forward one
    gradient: Tensor | None = None  # as states; set by a hand-written backward
    retained: list[Tensor] = field(default_factory=list)  # the states one by one, on the step path

    def retain(self, state: Tensor) -> None:
        """Keep one state of the step path; autograd leaves dL/d(state) with it."""
        if state.requires_grad:
            state.retain_grad()
        self.retained.append(state)

    def total_derivative(self) -> Tensor:
        """dL/dh, shaped as `states`: through every path, not only the direct one."""
        if self.gradient is None and self.retained:
            steps = [torch.zeros_like(h) if h.grad is None else h.grad for h in self.retained]
            stacked = torch.stack(steps)
            self.gradient = stacked if self.states is None else stacked.view_as(self.states)
        if self.gradient is None:
            raise RuntimeError("dL/dh was not watched in this pass: set network.watching first")
        return self.gradient


def leave_gradient(reference: weakref.ref[Tap], gradient: Tensor) -> None:
    """Give a watched tap its dL/dh, if it is still wanted.

    A backward pass knows its tap by a weak reference: tap, states and graph would else hold one
    another, a cycle through C++ that the garbage collector cannot free.
    """
    tap = reference()
    if tap is not None and tap.watched:
        tap.gradient = gradient
