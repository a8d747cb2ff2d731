"""Functions of every element, and their derivatives: the same bits on every processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.kernels.engine import call
from bench.kernels.once import differentiable_once

KINDS = {"tanh": 0, "relu": 1, "selu": 2, "gelu": 3, "linear": 4, "sigmoid": 5}
"""Name -> number, as in source/functions.h."""


def evaluate(kind: int, before: Tensor) -> Tensor:
    """f of every element; not differentiable."""
    before = before.contiguous()
    after = torch.empty_like(before)
    call("elementwise", before.dtype, kind, before.numel(), before, after)
    return after


class _Elementwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, before: Tensor, kind: int) -> Tensor:
        before = before.contiguous()
        after = evaluate(kind, before)
        ctx.kind = kind
        ctx.save_for_backward(before if kind == KINDS["gelu"] else after, after)
        return after

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        before, after = ctx.saved_tensors
        grad = grad.contiguous()
        delta = torch.empty_like(grad)
        call(
            "elementwise_backward",
            grad.dtype,
            ctx.kind,
            grad.numel(),
            grad,
            before,
            after,
            delta,
        )
        return delta, None


def _differentiable(kind: int, values: Tensor) -> Tensor:
    return _Elementwise.apply(values, kind)  # type: ignore[no-any-return, no-untyped-call]


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    name: partial(_differentiable, kind) for name, kind in KINDS.items()
}
"""tanh, relu, selu (Klambauer et al. 2017), gelu (the exact one of Hendrycks & Gimpel 2016),
linear, sigmoid."""
tanh, sigmoid = ACTIVATIONS["tanh"], ACTIVATIONS["sigmoid"]
