"""Twins of source/layers.h: one linear map, and the stack of a deep network."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.kernels.twins.elementwise import FUNCTIONS, derivative
from bench.kernels.twins.recurrent import first_bad_step, note_norms


def linear(
    rows: int,
    inputs: int,
    _outputs: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    outputs: Tensor,
) -> None:
    product = x.reshape(rows, inputs) @ weight.t()
    outputs.copy_((product if bias is None else product + bias).view_as(outputs))


def linear_backward(
    rows: int,
    inputs: int,
    outputs: int,
    x: Tensor,
    weight: Tensor,
    grad: Tensor,
    grad_x: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    grad = grad.reshape(rows, outputs)
    if grad_x is not None:
        grad_x.copy_((grad @ weight).view_as(grad_x))
    if grad_weight is not None:
        torch.mm(grad.t(), x.reshape(rows, inputs), out=grad_weight)
    if grad_bias is not None:
        torch.sum(grad, dim=0, out=grad_bias)


def stack_forward(
    depth: int,
    _batch: int,
    _inputs: int,
    _hidden: int,
    kind: int,
    x: Tensor,
    weights: list[Tensor],
    biases: list[Tensor],
    before: Tensor | None,
    states: Tensor,
) -> int:
    for layer in range(depth):
        product = torch.addmm(biases[layer], x, weights[layer].t())
        if before is not None:
            before[layer] = product
        states[layer] = FUNCTIONS[kind](product)
        x = states[layer]
    return first_bad_step(states)


def stack_backward(
    depth: int,
    batch: int,
    inputs: int,
    hidden: int,
    kind: int,
    x: Tensor,
    weights: list[Tensor],
    before: Tensor | None,
    states: Tensor,
    grad: Tensor,
    total: Tensor | None,
    norms: Tensor | None,
    grad_x: Tensor | None,
    grad_weights: list[Tensor],
    grad_biases: list[Tensor],
) -> None:
    total = torch.empty_like(states) if total is None else total
    total[-1] = grad
    for layer in reversed(range(depth)):
        values = states if before is None else before
        delta = derivative(kind, total[layer], values[layer], states[layer])
        linear_backward(
            batch,
            hidden if layer else inputs,
            hidden,
            states[layer - 1] if layer else x,
            weights[layer],
            delta,
            total[layer - 1] if layer else grad_x,
            grad_weights[layer],
            grad_biases[layer],
        )
    note_norms(total, norms)
