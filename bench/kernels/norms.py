"""Norms that do not overflow, and scaling that does not underflow.

torch.nn.utils.clip_grad_norm_ adds squares in the gradients' own type: finite float32 gradients
above 1.8e19 have an infinite norm there and are multiplied by zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from bench.kernels.engine import call
from bench.kernels.once import differentiable_once


def norm(values: Tensor) -> float:
    """L2 norm in float64; not finite only if an element is not (else at most the largest float)."""
    values = values.detach().contiguous()
    return float(call("norm", values.dtype, values.numel(), values))


def row_norms(values: Tensor) -> Tensor:
    """The `norm` of every row of `values` [N, M]: float64 [N]."""
    return torch.tensor([norm(row) for row in values], dtype=torch.float64)


def is_finite(values: Tensor) -> bool:
    """Whether no element is NaN or infinite."""
    values = values.detach().contiguous()
    return bool(call("all_finite", values.dtype, values.numel(), values))


def scale_(tensors: Iterable[Tensor], factor: float) -> None:
    """Multiply each tensor by `factor` in place, also where float32 cannot hold the factor."""
    mantissa, exponent = math.frexp(factor)
    # The first is a power of two, and both are normal float32 for any factor above 1e-75.
    first = math.ldexp(1.0, exponent // 2)
    second = math.ldexp(mantissa, exponent - exponent // 2)
    factors = (factor,) if factor > 1e-30 else (first, second)
    for tensor in tensors:
        for part in factors:
            tensor.mul_(part)


class _SumOfSquares(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        values = values.contiguous()
        ctx.save_for_backward(values)
        return values.new_tensor(call("sum_of_squares", values.dtype, values.numel(), values, 1.0))

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        result: Tensor = values * (2 * float(grad))
        return result


def sum_of_squares(values: Tensor) -> Tensor:
    """Sum of the squares of all elements, 0-d and differentiable; added up in float64."""
    return _SumOfSquares.apply(values)  # type: ignore[no-any-return, no-untyped-call]
