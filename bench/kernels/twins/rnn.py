"""Twin of source/rnn.h: h_t = f(W_in x_t + b + W h_{t-1})."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.kernels.twins.elementwise import FUNCTIONS, derivative
from bench.kernels.twins.recurrent import (
    add_direct,
    add_weight_gradients,
    earlier,
    first_bad_step,
    note_norms,
)


def rnn_forward(
    steps: int,
    batch: int,
    _inputs: int,
    hidden: int,
    kind: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    bias: Tensor,
    before: Tensor | None,
    states: Tensor,
) -> int:
    projected = torch.addmm(bias, inputs.flatten(0, 1), input_weight.t()).view(steps, batch, hidden)
    state = before
    for t in range(steps):
        product = projected[t] if state is None else torch.addmm(projected[t], state, weight.t())
        states[t] = FUNCTIONS[kind](product)
        state = states[t]
    return first_bad_step(states)


def rnn_backward(
    steps: int,
    _batch: int,
    _inputs: int,
    _hidden: int,
    kind: int,
    inputs: Tensor,
    input_weight: Tensor,
    weight: Tensor,
    before: Tensor | None,
    states: Tensor,
    _direct_steps: int,
    direct: Tensor,
    later: int,
    carried: Tensor,
    total: Tensor | None,
    norms: Tensor | None,
    grad_inputs: Tensor | None,
    grad_input_weight: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
) -> None:
    total = torch.empty_like(states) if total is None else total
    add_direct(total, direct)
    delta = torch.empty_like(states)
    for t in reversed(range(steps)):
        if t + 1 < steps or later:
            total[t].addmm_(delta[t + 1] if t + 1 < steps else carried, weight)
        delta[t] = derivative(kind, total[t], states[t], states[t])
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
