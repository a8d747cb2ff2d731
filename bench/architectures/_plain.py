"""What the plain recurrent networks share: h_t = f(W_in x_t + W h_{t-1} + b)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.architectures._recurrent import RecurrentNetwork, State
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear


class PlainNetwork(RecurrentNetwork):
    """One gate, one state, one activation function.

    Provides `plain_recurrence`: dh_{t+1}/dh_t = diag(slopes(h_{t+1})) W.
    """

    gates = ("",)

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,) = state
        product = linear(self.feedback(layer, before), weights[0])
        (before,) = self.preactivations(layer, inputs + product)
        return (ACTIVATIONS[self.activation](before),)

    def slopes(self, states: Tensor) -> Tensor:
        """f'(z), from h = f(z) [..., hidden]."""
        if self.activation == "tanh":
            return 1 - states * states
        if self.activation == "relu":
            return (states > 0).to(states.dtype)
        return torch.ones_like(states)
