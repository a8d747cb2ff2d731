"""Twins of source/reductions.h."""

from __future__ import annotations

import math
import sys

import torch
from torch import Tensor


def all_finite(_size: int, values: Tensor) -> int:
    return int(torch.isfinite(values).all())


def sum_of_squares(_size: int, values: Tensor, scale: float) -> float:
    scaled = values.double() * scale
    return float((scaled * scaled).sum())


def norm(size: int, values: Tensor) -> float:
    if size == 0:
        return 0.0
    largest = float(values.double().abs().max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = float(torch.linalg.vector_norm(values.double() / largest))
    return min(scaled * largest, sys.float_info.max)
