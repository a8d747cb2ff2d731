"""The LSTM layer over a whole sequence (Hochreiter & Schmidhuber 1997; forget gate: Gers 2000).

i, f, o = sigmoid(p + W h_{t-1}),  g = tanh(p + W h_{t-1}),
c_t = f c_{t-1} + i g,  h_t = o tanh(c_t);
the four blocks of p and W stand in the order i, f, g, o.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, leave_gradient


def forward(projected: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From p [T, B, 4H] (with the bias) and W [4H, H] to h [T, B, H], c [T, B, H] and the gates'
    values [T, B, 4H]; h_0 = c_0 = 0."""
    hidden = recurrent.shape[1]
    gates = torch.empty_like(projected)
    states = projected.new_empty(*projected.shape[:2], hidden)
    cells = torch.empty_like(states)
    transposed = recurrent.t()
    state = cell = projected.new_zeros(projected.shape[1], hidden)
    for t in range(len(projected)):
        torch.addmm(projected[t], state, transposed, out=gates[t])
        gates[t, :, : 2 * hidden].sigmoid_()
        gates[t, :, 2 * hidden : 3 * hidden].tanh_()
        gates[t, :, 3 * hidden :].sigmoid_()
        i, f, g, o = gates[t].chunk(4, dim=1)
        cell = torch.add(f * cell, i * g, out=cells[t])
        state = torch.mul(o, torch.tanh(cell), out=states[t])
    return states, cells, gates


def backward(
    grad_states: Tensor, states: Tensor, cells: Tensor, gates: Tensor, recurrent: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """From direct dL/dh [T, B, H] to (dL/dp [T, B, 4H], dL/dW [4H, H], total dL/dh_t [T, B, H])."""
    steps, batch, hidden = states.shape
    i, f, g, o = gates.chunk(4, dim=2)
    tanh_cells = torch.tanh(cells)
    before = torch.cat([torch.zeros_like(cells[:1]), cells[:-1]])
    # dL/dc to the blocks i, f, g; dL/dh to the block o; dL/dh to dL/dc: all steps at once.
    from_cell = torch.stack([g * i * (1 - i), before * f * (1 - f), i * (1 - g * g)], dim=2)
    from_state = tanh_cells * o * (1 - o)
    to_cell = o * (1 - tanh_cells * tanh_cells)

    total = grad_states.clone()
    delta = torch.empty_like(gates)
    blocks = delta.view(steps, batch, 4, hidden)
    grad_cell = torch.zeros_like(states[0])
    for t in reversed(range(steps)):
        if t + 1 < steps:
            total[t].addmm_(delta[t + 1], recurrent)
        grad_cell += total[t] * to_cell[t]
        torch.mul(from_cell[t], grad_cell[:, None], out=blocks[t, :, :3])
        torch.mul(from_state[t], total[t], out=blocks[t, :, 3])
        grad_cell *= f[t]
    earlier = states[:-1].reshape(-1, hidden)
    grad_recurrent = delta[1:].reshape(-1, 4 * hidden).t() @ earlier
    return delta, grad_recurrent, total


class _WholeSequence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, recurrent: Tensor, tap: Tap) -> Tensor:
        states, cells, gates = forward(projected, recurrent)
        ctx.save_for_backward(states, cells, gates, recurrent)
        ctx.tap = weakref.ref(tap)
        return states

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor, Tensor, None]:
        delta, grad_recurrent, total = backward(grad_states, *ctx.saved_tensors)
        leave_gradient(ctx.tap, total)
        return delta, grad_recurrent, None


def lstm(projected: Tensor, recurrent: Tensor, tap: Tap) -> Tensor:
    """h [T, B, H], differentiable; the backward pass leaves dL/dh_t in `tap` if it is watched."""
    return _WholeSequence.apply(projected, recurrent, tap)  # type: ignore[no-any-return, no-untyped-call]
