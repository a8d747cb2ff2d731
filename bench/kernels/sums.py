"""Differentiable sums in a fixed order: of all elements, and of the squares of each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.kernels.layers import linear
from bench.kernels.once import differentiable_once


class _Lengths(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, eps: float) -> Tensor:
        squares = linear(values * values, values.new_ones(1, values.shape[-1])).squeeze(-1) + eps
        # torch's root is not correctly rounded everywhere; NumPy's is.
        lengths = torch.from_numpy(np.sqrt(squares.numpy()))
        ctx.save_for_backward(values, lengths)
        return lengths

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        values, lengths = ctx.saved_tensors
        slope = torch.where(lengths > 0, grad / lengths, torch.zeros_like(grad))
        return values * slope[..., None], None


def lengths(values: Tensor, eps: float = 0.0) -> Tensor:
    """sqrt(sum of squares + eps) over the last axis, [...] from [..., M]; differentiable, at zero
    with slope zero. The squares must not overflow."""
    return _Lengths.apply(values, eps)  # type: ignore[no-any-return, no-untyped-call]


def total(values: Tensor) -> Tensor:
    """The sum of all elements, 0-d and differentiable, in a fixed order."""
    flat = values.reshape(1, -1)
    return linear(flat, torch.ones_like(flat)).reshape(())
