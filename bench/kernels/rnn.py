"""The plain recurrent layer over a whole sequence: h_t = f(p_t + W h_{t-1})."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from bench.kernels.activations import DERIVATIVES
from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, leave_gradient

IN_PLACE = {"tanh": torch.tanh_, "relu": torch.relu_}


def forward(projected: Tensor, recurrent: Tensor, activation: str) -> Tensor:
    """States [T, B, H] from projected inputs [T, B, H] (with the bias) and W [H, H]; h_0 = 0."""
    activate_ = IN_PLACE[activation]
    states = torch.empty_like(projected)
    transposed = recurrent.t()
    state = projected.new_zeros(projected.shape[1:])
    for t in range(len(projected)):
        state = activate_(torch.addmm(projected[t], state, transposed, out=states[t]))
    return states


def backward(
    grad_states: Tensor, states: Tensor, recurrent: Tensor, activation: str
) -> tuple[Tensor, Tensor, Tensor]:
    """From direct dL/dh [T, B, H] to (dL/dp [T, B, H], dL/dW [H, H], total dL/dh_t [T, B, H])."""
    total = grad_states.clone()
    delta = DERIVATIVES[activation](states, states)
    for t in reversed(range(len(states))):
        if t + 1 < len(states):
            total[t].addmm_(delta[t + 1], recurrent)
        delta[t] *= total[t]
    before = states[:-1].reshape(-1, states.shape[-1])
    grad_recurrent = delta[1:].reshape(-1, states.shape[-1]).t() @ before
    return delta, grad_recurrent, total


class _WholeSequence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, recurrent: Tensor, activation: str, tap: Tap
    ) -> Tensor:
        states = forward(projected, recurrent, activation)
        ctx.save_for_backward(states, recurrent)
        ctx.activation, ctx.tap = activation, weakref.ref(tap)
        return states

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor, Tensor, None, None]:
        states, recurrent = ctx.saved_tensors
        delta, grad_recurrent, total = backward(grad_states, states, recurrent, ctx.activation)
        leave_gradient(ctx.tap, total)
        return delta, grad_recurrent, None, None


def rnn(projected: Tensor, recurrent: Tensor, activation: str, tap: Tap) -> Tensor:
    """Differentiable `forward`; the backward pass leaves dL/dh_t in `tap` if it is watched.

    `activation` is tanh or relu: one whose derivative follows from its value.
    """
    return _WholeSequence.apply(projected, recurrent, activation, tap)  # type: ignore[no-any-return, no-untyped-call]
