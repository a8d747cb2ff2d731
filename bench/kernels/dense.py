"""A layer of a feed-forward network: h = f(x W^T + b)."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from bench.kernels.activations import ACTIVATIONS, DERIVATIVES
from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, leave_gradient


class _Dense(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, activation: str, tap: Tap
    ) -> Tensor:
        before = torch.addmm(bias, inputs, weight.t())
        after = ACTIVATIONS[activation](before)
        # Only GELU needs the value before; the others would keep memory for nothing.
        ctx.save_for_backward(inputs, weight, before if activation == "gelu" else after, after)
        ctx.activation, ctx.tap = activation, weakref.ref(tap)
        return after

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None, None]:
        inputs, weight, before, after = ctx.saved_tensors
        leave_gradient(ctx.tap, grad)
        delta = grad * DERIVATIVES[ctx.activation](before, after)
        grad_inputs = delta @ weight if ctx.needs_input_grad[0] else None
        return grad_inputs, delta.t() @ inputs, delta.sum(dim=0), None, None


def dense(inputs: Tensor, weight: Tensor, bias: Tensor, activation: str, tap: Tap) -> Tensor:
    """h [B, O] from x [B, I], W [O, I], b [O]; the backward pass leaves dL/dh in a watched tap."""
    return _Dense.apply(inputs, weight, bias, activation, tap)  # type: ignore[no-any-return, no-untyped-call]
