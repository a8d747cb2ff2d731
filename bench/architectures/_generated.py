"""Recurrent matrices that are computed from other numbers, once a pass."""

from __future__ import annotations

import torch
from torch import Tensor


def skew_symmetric(entries: Tensor, size: int) -> Tensor:
    """S = -S^T [size, size] from what stands above its diagonal, row by row."""
    rows, columns = torch.triu_indices(size, size, offset=1)
    upper = entries.new_zeros(size, size).index_put((rows, columns), entries)
    return upper - upper.t()


def num_entries(size: int) -> int:
    """How many numbers a skew-symmetric matrix has."""
    return size * (size - 1) // 2
