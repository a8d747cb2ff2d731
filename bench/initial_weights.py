"""Initial weights: from a shape, a kind and a gain to numbers, the same bits on every machine."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from bench.seeding import UNIFORM_GRID, Stream, on_grid

Kind: TypeAlias = Literal["gaussian", "uniform", "orthogonal", "identity", "zeros", "ones"]


def draw(kind: Kind, shape: tuple[int, ...], gain: float, stream: Stream) -> np.ndarray:
    """float64 of `shape`, which is [outputs, inputs] for a matrix.

    gaussian    independent N(0, gain^2 / inputs): the spectral radius of a square matrix tends to
                gain, and gain^2 is sigma_w^2 of mean-field theory (Poole et al. 2016)
    uniform     independent, even between bounds that give the same variance (Glorot & Bengio 2010)
    orthogonal  gain times a Haar-random orthogonal matrix (Saxe et al. 2014)
    identity    gain on the diagonal (Le et al. 2015)
    zeros, ones constants, times gain
    """
    if kind == "zeros":
        return np.zeros(shape)
    if kind == "ones":
        return on_grid(np.full(shape, gain))
    if kind == "identity":
        rows, columns = shape
        return on_grid(gain * np.eye(rows, columns))
    if kind == "gaussian":
        return on_grid(stream.normal(shape) * (gain / np.sqrt(shape[-1])))
    if kind == "uniform":
        # The middles of the stream's cells, so that the mean is zero exactly.
        centred = stream.uniform(shape) + (UNIFORM_GRID / 2 - 0.5)
        return on_grid(centred * (2 * gain * np.sqrt(3 / shape[-1])))
    return on_grid(gain * _orthogonal(shape, stream))


def _orthogonal(shape: tuple[int, ...], stream: Stream) -> np.ndarray:
    """Rows or columns orthonormal, whichever are fewer."""
    rows, columns = shape
    tall = stream.normal((max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    # Without the sign of R's diagonal, Q is not Haar-distributed (Mezzadri 2007) nor unique.
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return q if rows >= columns else q.T
