"""Twin of source/lstm.h (Hochreiter & Schmidhuber 1997; forget gate: Gers 2000).

i, f, o = sigmoid(p + W h_{t-1}),  g = tanh(p + W h_{t-1}),
c_t = f c_{t-1} + i g,  h_t = o tanh(c_t);
the four blocks of p and W stand in the order i, f, g, o.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.kernels.twins.recurrent import (
    add_direct,
    add_weight_gradients,
    earlier,
    first_bad_step,
    note_norms,
)


def lstm_forward(
    steps: int,
    batch: int,
    _inputs: int,
    hidden: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    bias: Tensor,
    before: Tensor | None,
    cell_before: Tensor | None,
    states: Tensor,
    cells: Tensor,
    tanh_cells: Tensor,
    gates: Tensor,
) -> int:
    gates.copy_(torch.addmm(bias, inputs.flatten(0, 1), input_weight.t()).view_as(gates))
    state = before
    cell = inputs.new_zeros(batch, hidden) if cell_before is None else cell_before
    for t in range(steps):
        if state is not None:
            gates[t].addmm_(state, weight.t())
        gates[t, :, : 2 * hidden].sigmoid_()
        gates[t, :, 2 * hidden : 3 * hidden].tanh_()
        gates[t, :, 3 * hidden :].sigmoid_()
        i, f, g, o = gates[t].chunk(4, dim=1)
        cell = torch.add(f * cell, i * g, out=cells[t])
        torch.tanh(cell, out=tanh_cells[t])
        state = torch.mul(o, tanh_cells[t], out=states[t])
    return first_bad_step(states)


def lstm_backward(
    steps: int,
    batch: int,
    _inputs: int,
    hidden: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    before: Tensor | None,
    cell_before: Tensor | None,
    states: Tensor,
    cells: Tensor,
    tanh_cells: Tensor,
    gates: Tensor,
    _direct_steps: int,
    direct: Tensor,
    later: int,
    carried: Tensor,
    grad_cell: Tensor,
    total: Tensor | None,
    norms: Tensor | None,
    grad_inputs: Tensor | None,
    grad_input_weight: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
) -> None:
    i, f, g, o = gates.chunk(4, dim=2)
    # dL/dc to the blocks i, f, g; dL/dh to the block o; dL/dh to dL/dc: all steps at once.
    from_cell = torch.stack(
        [g * i * (1 - i), earlier(cells, cell_before) * f * (1 - f), i * (1 - g * g)], dim=2
    )
    from_state = tanh_cells * o * (1 - o)
    to_cell = o * (1 - tanh_cells * tanh_cells)

    total = torch.empty_like(states) if total is None else total
    add_direct(total, direct)
    delta = torch.empty_like(gates)
    blocks = delta.view(steps, batch, 4, hidden)
    if not later:
        grad_cell.zero_()
    for t in reversed(range(steps)):
        if t + 1 < steps or later:
            total[t].addmm_(delta[t + 1] if t + 1 < steps else carried, weight)
        grad_cell += total[t] * to_cell[t]
        torch.mul(from_cell[t], grad_cell[:, None], out=blocks[t, :, :3])
        torch.mul(from_state[t], total[t], out=blocks[t, :, 3])
        grad_cell *= f[t]
    carried.copy_(delta[0])
    note_norms(total, norms)
    add_weight_gradients(
        inputs,
        input_weight,
        delta,
        delta,
        earlier(states, before),
        grad_inputs,
        grad_input_weight,
        grad_weight,
        grad_bias,
    )
