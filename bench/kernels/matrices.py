"""Matrices of matrices, in portable products."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.kernels.layers import linear
from bench.kernels.norms import norm

TERMS = 12
"""Of the exponential series at norm 1/2: the next, 2^-13 / 13!, is below float64's rounding."""


def product(left: Tensor, right: Tensor) -> Tensor:
    """A B, [M, N] from [M, K] and [K, N]; differentiable once."""
    return linear(left, right.t().contiguous())


def matrix_exponential(matrix: Tensor) -> Tensor:
    """exp(A) [N, N]: the series of A / 2^s, squared s times; differentiable once.

    Orthogonal up to rounding where A is skew-symmetric. Where A is not finite, NaN.
    """
    size = norm(matrix)  # of Frobenius, at least the spectral one
    if not math.isfinite(size):
        return matrix * math.nan
    squarings = max(0, math.frexp(size)[1] + 1)
    scaled = matrix * 2.0**-squarings
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    result = identity + scaled * (1 / TERMS)
    for term in range(TERMS - 1, 0, -1):  # Horner's rule
        result = identity + product(scaled, result) * (1 / term)
    for _ in range(squarings):
        result = product(result, result)
    return result
