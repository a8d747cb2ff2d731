"""Activation functions and their derivatives, from the value before and after."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

SELU_SCALE = 1.0507009873554804934193349852946  # Klambauer et al. 2017, eq. 14
SELU_ALPHA = 1.6732632423543772848170429916717


def _selu_derivative(_: Tensor, after: Tensor) -> Tensor:
    return torch.where(after > 0, SELU_SCALE, after + SELU_SCALE * SELU_ALPHA)


def _gelu_derivative(before: Tensor, _: Tensor) -> Tensor:
    """Phi(x) + x phi(x): the exact GELU of Hendrycks & Gimpel 2016, not its tanh approximation."""
    distribution = 0.5 * (1 + torch.erf(before / math.sqrt(2)))
    return distribution + before * torch.exp(-0.5 * before * before) / math.sqrt(2 * math.pi)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "linear": torch.clone,
}

DERIVATIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": lambda _, after: 1 - after * after,
    "relu": lambda _, after: (after > 0).to(after.dtype),
    "selu": _selu_derivative,
    "gelu": _gelu_derivative,
    "linear": lambda _, after: torch.ones_like(after),
}
"""(before, after) -> d after / d before, elementwise."""
