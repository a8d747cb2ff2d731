"""What the rules that change gradients share."""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from bench.kernels.sums import lengths
from bench.network import Network


def gradients(network: Network) -> list[Tensor]:
    """Of every parameter that has one."""
    return [p.grad for p in network.parameters() if p.grad is not None]


def row_lengths(values: Tensor) -> Tensor:
    """|row| of `values` [N, M], float64 [N], all rows at once; not finite only if an element is
    not (else at most the largest float)."""
    doubled = values.detach().double()
    largest = doubled.abs().amax(dim=1)  # no square overflows once the row is divided by it
    unit = torch.where(largest > 0, largest, torch.ones_like(largest))
    return (lengths(doubled / unit[:, None]) * largest).clamp(max=sys.float_info.max)
