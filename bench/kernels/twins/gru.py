"""Twin of source/gru.h (Cho et al. 2014; reset gate after the product, as cuDNN).

r, z = sigmoid(p + W h_{t-1}),  n = tanh(p + r (W h_{t-1} + b)),  h_t = (1 - z) n + z h_{t-1};
the three blocks of p and W stand in the order r, z, n.
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


def gru_forward(
    steps: int,
    batch: int,
    _inputs: int,
    hidden: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    bias: Tensor,
    candidate_bias: Tensor,
    before: Tensor | None,
    states: Tensor,
    gates: Tensor,
    candidates: Tensor,
) -> int:
    projected = torch.addmm(bias, inputs.flatten(0, 1), input_weight.t()).view_as(gates)
    state = inputs.new_zeros(batch, hidden) if before is None else before
    nothing = inputs.new_zeros(batch, 3 * hidden)
    for t in range(steps):
        product = nothing if t == 0 and before is None else state @ weight.t()
        torch.add(product[:, 2 * hidden :], candidate_bias, out=candidates[t])
        gates[t, :, : 2 * hidden] = torch.sigmoid(
            projected[t, :, : 2 * hidden] + product[:, : 2 * hidden]
        )
        r, z, n = gates[t].chunk(3, dim=1)
        n.copy_(torch.tanh(projected[t, :, 2 * hidden :] + r * candidates[t]))
        state = torch.add((1 - z) * n, z * state, out=states[t])
    return first_bad_step(states)


def gru_backward(
    steps: int,
    batch: int,
    _inputs: int,
    hidden: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    before: Tensor | None,
    states: Tensor,
    gates: Tensor,
    candidates: Tensor,
    _direct_steps: int,
    direct: Tensor,
    later: int,
    carried: Tensor,
    kept: Tensor,
    total: Tensor | None,
    norms: Tensor | None,
    grad_inputs: Tensor | None,
    grad_input_weight: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_candidate_bias: Tensor,
) -> None:
    r, z, n = gates.chunk(3, dim=2)
    starts = earlier(states, before)
    to_candidate = (1 - z) * (1 - n * n)
    # dL/dh_t to dL/d(W h_{t-1}), block by block, all steps at once.
    factors = torch.stack(
        [to_candidate * candidates * r * (1 - r), (starts - n) * z * (1 - z), to_candidate * r],
        dim=2,
    )
    total = torch.empty_like(states) if total is None else total
    add_direct(total, direct)
    through = torch.empty_like(gates)  # dL/d(W h)
    blocks = through.view(steps, batch, 3, hidden)
    if not later:
        kept.zero_()
    for t in reversed(range(steps)):
        if t + 1 < steps or later:
            total[t].addmm_(through[t + 1] if t + 1 < steps else carried, weight)
        total[t] += kept
        torch.mul(factors[t], total[t, :, None], out=blocks[t])
        torch.mul(total[t], z[t], out=kept)
    carried.copy_(through[0])
    note_norms(total, norms)
    grad_candidate_bias += blocks[:, :, 2].sum(dim=(0, 1))
    delta = through.clone()  # dL/dp differs in the candidate alone, which the reset gate spares
    torch.mul(total, to_candidate, out=delta[:, :, 2 * hidden :])
    add_weight_gradients(
        inputs,
        input_weight,
        delta,
        through,
        starts,
        grad_inputs,
        grad_input_weight,
        grad_weight,
        grad_bias,
    )
