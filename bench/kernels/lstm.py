"""The LSTM layer over a whole sequence (Hochreiter & Schmidhuber 1997; forget gate: Gers 2000).

i, f, o = sigmoid(p + W h_{t-1}),  g = tanh(p + W h_{t-1}),  c_t = f c_{t-1} + i g,  h_t = o tanh(c_t);
the four blocks of p and W stand in the order i, f, g, o.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bench.kernels.tap import Tap


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
    total = grad_states.clone()
    delta = torch.empty_like(gates)
    i, f, g, o = gates.chunk(4, dim=2)
    grad_cell = torch.zeros_like(states[0])
    for t in reversed(range(len(states))):
        if t + 1 < len(states):
            total[t].addmm_(delta[t + 1], recurrent)
        tanh_cell = torch.tanh(cells[t])
        grad_cell += total[t] * o[t] * (1 - tanh_cell * tanh_cell)
        before = cells[t - 1] if t > 0 else torch.zeros_like(grad_cell)
        d_i, d_f, d_g, d_o = delta[t].chunk(4, dim=1)
        d_i.copy_(grad_cell * g[t] * i[t] * (1 - i[t]))
        d_f.copy_(grad_cell * before * f[t] * (1 - f[t]))
        d_g.copy_(grad_cell * i[t] * (1 - g[t] * g[t]))
        d_o.copy_(total[t] * tanh_cell * o[t] * (1 - o[t]))
        grad_cell *= f[t]
    earlier = states[:-1].reshape(-1, states.shape[-1])
    grad_recurrent = delta[1:].reshape(-1, delta.shape[-1]).t() @ earlier
    return delta, grad_recurrent, total


class _WholeSequence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, recurrent: Tensor, tap: Tap) -> Tensor:
        states, cells, gates = forward(projected, recurrent)
        ctx.save_for_backward(states, cells, gates, recurrent)
        ctx.tap = tap
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor, Tensor, None]:
        delta, grad_recurrent, total = backward(grad_states, *ctx.saved_tensors)
        if ctx.tap.watched:
            ctx.tap.gradient = total
        return delta, grad_recurrent, None


def lstm(projected: Tensor, recurrent: Tensor, tap: Tap) -> Tensor:
    """h [T, B, H], differentiable; the backward pass leaves dL/dh_t in `tap` if it is watched."""
    return _WholeSequence.apply(projected, recurrent, tap)  # type: ignore[no-any-return]
