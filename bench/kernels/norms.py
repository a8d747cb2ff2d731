"""Norms that do not overflow, and scaling that does not underflow.

torch.nn.utils.clip_grad_norm_ adds squares in the gradients' own type: finite float32 gradients
above 1.8e19 have an infinite norm there and are multiplied by zero.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

import torch
from torch import Tensor


def norm(values: Tensor) -> float:
    """L2 norm in float64; not finite only if an element is not (else at most the largest float)."""
    if values.numel() == 0:
        return 0.0
    if values.dtype == torch.float32:
        return float(torch.linalg.vector_norm(values, dtype=torch.float64))
    low, high = torch.aminmax(values.detach())
    largest = max(-float(low), float(high))
    if largest == 0 or not math.isfinite(largest):
        return abs(largest)
    scaled = float(torch.linalg.vector_norm(values / largest))
    return min(scaled * largest, sys.float_info.max)


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


def is_finite(values: Tensor) -> bool:
    """One pass: the smallest and largest element carry every NaN and infinity."""
    if values.numel() == 0:
        return True
    low, high = torch.aminmax(values.detach())
    return math.isfinite(float(low)) and math.isfinite(float(high))
