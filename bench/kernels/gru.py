"""The GRU layer over a whole sequence (Cho et al. 2014; reset gate after the product, as cuDNN).

r, z = sigmoid(p + W h_{t-1}),  n = tanh(p + r (W h_{t-1} + b)),  h_t = (1 - z) n + z h_{t-1};
the three blocks of p and W stand in the order r, z, n.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, leave_gradient


def forward(projected: Tensor, recurrent: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From p [T, B, 3H] (with its bias), W [3H, H], b [H] to h [T, B, H], the gates' values
    [T, B, 3H], and W h + b of the candidate [T, B, H]; h_0 = 0."""
    hidden = recurrent.shape[1]
    gates = torch.empty_like(projected)
    states = projected.new_empty(*projected.shape[:2], hidden)
    candidates = torch.empty_like(states)
    transposed = recurrent.t()
    state = projected.new_zeros(projected.shape[1], hidden)
    for t in range(len(projected)):
        product = state @ transposed
        torch.add(product[:, 2 * hidden :], bias, out=candidates[t])
        torch.add(
            projected[t, :, : 2 * hidden], product[:, : 2 * hidden], out=gates[t, :, : 2 * hidden]
        ).sigmoid_()
        r, z, n = gates[t].chunk(3, dim=1)
        n.copy_(torch.tanh(projected[t, :, 2 * hidden :] + r * candidates[t]))
        state = torch.add((1 - z) * n, z * state, out=states[t])
    return states, gates, candidates


def backward(
    grad_states: Tensor, states: Tensor, gates: Tensor, candidates: Tensor, recurrent: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """From direct dL/dh [T, B, H] to (dL/dp [T, B, 3H], dL/dW [3H, H], dL/db [H],
    total dL/dh_t [T, B, H])."""
    steps, batch, hidden = states.shape
    r, z, n = gates.chunk(3, dim=2)
    before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    to_candidate = (1 - z) * (1 - n * n)
    # dL/dh_t to dL/d(W h_{t-1}), block by block, all steps at once.
    factors = torch.stack(
        [to_candidate * candidates * r * (1 - r), (before - n) * z * (1 - z), to_candidate * r],
        dim=2,
    )
    total = grad_states.clone()
    through = torch.empty_like(gates)  # dL/d(W h)
    blocks = through.view(steps, batch, 3, hidden)
    for t in reversed(range(steps)):
        if t + 1 < steps:
            total[t].addmm_(through[t + 1], recurrent)
            total[t] += total[t + 1] * z[t + 1]
        torch.mul(factors[t], total[t, :, None], out=blocks[t])
    grad_recurrent = through[1:].reshape(-1, 3 * hidden).t() @ states[:-1].reshape(-1, hidden)
    grad_bias = blocks[:, :, 2].sum(dim=(0, 1))
    delta = through.clone()  # dL/dp differs in the candidate alone, which the reset gate spares
    torch.mul(total, to_candidate, out=delta[:, :, 2 * hidden :])
    return delta, grad_recurrent, grad_bias, total


class _WholeSequence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, recurrent: Tensor, bias: Tensor, tap: Tap) -> Tensor:
        states, gates, candidates = forward(projected, recurrent, bias)
        ctx.save_for_backward(states, gates, candidates, recurrent)
        ctx.tap = weakref.ref(tap)
        return states

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        delta, grad_recurrent, grad_bias, total = backward(grad_states, *ctx.saved_tensors)
        leave_gradient(ctx.tap, total)
        return delta, grad_recurrent, grad_bias, None


def gru(projected: Tensor, recurrent: Tensor, bias: Tensor, tap: Tap) -> Tensor:
    """h [T, B, H], differentiable; the backward pass leaves dL/dh_t in `tap` if it is watched."""
    return _WholeSequence.apply(projected, recurrent, bias, tap)  # type: ignore[no-any-return, no-untyped-call]
