"""Twins of source/elementwise.h and functions.h: functions of every element."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

SELU_SCALE = 1.0507009873554804934193349852946  # Klambauer et al. 2017, eq. 14
SELU_ALPHA = 1.6732632423543772848170429916717

FUNCTIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    torch.tanh,
    torch.relu,
    torch.selu,
    torch.nn.functional.gelu,
    torch.clone,
    torch.sigmoid,
    torch.exp,
    torch.log,
)
"""In the order of the kinds in functions.h."""


def _gelu_derivative(before: Tensor) -> Tensor:
    """Phi(x) + x phi(x): the exact GELU of Hendrycks & Gimpel 2016, not its tanh approximation."""
    distribution = 0.5 * torch.erfc(-before / math.sqrt(2))
    return distribution + before * torch.exp(-0.5 * before * before) / math.sqrt(2 * math.pi)


def derivative(kind: int, grad: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """`grad` times d after / d before."""
    if kind == 0:
        return grad * (1 - after * after)
    if kind == 1:  # where a unit is off, an infinite gradient gives 0
        return torch.where(after <= 0, torch.zeros_like(grad), grad)
    if kind == 2:
        return grad * torch.where(after > 0, SELU_SCALE, after + SELU_SCALE * SELU_ALPHA)
    if kind == 3:
        return grad * _gelu_derivative(before)
    if kind == 5:
        return grad * (after * (1 - after))
    return grad


def elementwise(kind: int, _: int, before: Tensor, after: Tensor) -> None:
    after.copy_(FUNCTIONS[kind](before))


def elementwise_backward(
    kind: int, _: int, grad: Tensor, before: Tensor, after: Tensor, delta: Tensor
) -> None:
    delta.copy_(derivative(kind, grad, before, after))
