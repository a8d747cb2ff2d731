"""Complex numbers by modulus and angle: the same bits on every processor."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from bench.kernels.elementwise import evaluate
from bench.kernels.once import differentiable_once

EXP = 6
"""In the numbering of source/functions.h."""
SINE = [(-1) ** k / math.factorial(2 * k + 1) for k in range(9)]
COSINE = [(-1) ** k / math.factorial(2 * k) for k in range(10)]
"""Taylor's series, to below float64's rounding at angles up to pi / 4."""


class _Exponential(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        result = evaluate(EXP, values)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (result,) = ctx.saved_tensors
        return grad * result  # type: ignore[no-any-return]


def exponential(values: Tensor) -> Tensor:
    """e^x of every element."""
    return _Exponential.apply(values)  # type: ignore[no-any-return, no-untyped-call]


class _CosineAndSine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, angles: Tensor) -> tuple[Tensor, Tensor]:
        exact = angles.double()
        quarters = torch.round(exact / (math.pi / 2))
        rest = exact - quarters * (math.pi / 2)
        square = rest * rest
        cosine, sine = _polynomial(square, COSINE), rest * _polynomial(square, SINE)
        quadrant = quarters - 4 * torch.floor(quarters / 4)
        turned = (quadrant == 1) | (quadrant == 3)
        cosine, sine = torch.where(turned, sine, cosine), torch.where(turned, cosine, sine)
        cosine = torch.where((quadrant == 1) | (quadrant == 2), -cosine, cosine)
        sine = torch.where((quadrant == 2) | (quadrant == 3), -sine, sine)
        results = cosine.to(angles.dtype), sine.to(angles.dtype)
        ctx.save_for_backward(*results)
        return results

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, to_cosine: Tensor, to_sine: Tensor) -> Tensor:
        cosine, sine = ctx.saved_tensors
        return to_sine * cosine - to_cosine * sine  # type: ignore[no-any-return]


def cosine_and_sine(angles: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of every element, in radians; to the last place or two up to a few turns."""
    return _CosineAndSine.apply(angles)  # type: ignore[no-any-return, no-untyped-call]


def _polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    result = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result
