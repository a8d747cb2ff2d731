"""(purpose, scope, seed) -> an independent random stream, the same bits on every machine.

A stream is keyed by what it is for, never by who asks: two mitigations with the same seed see the
same weights and the same batches. Only NumPy's raw Philox words are relied on (NEP 19 lets the
distributions of its Generator change); the transforms are our own, in float64, and end on a grid
that float32 and float64 both hold exactly. Global random state is never touched.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
from scipy.special import ndtri

UNIFORM_GRID = 2.0**-23  # so that the sum of two is exact in float32 too
NORMAL_GRID = 2.0**-20
"""Coarse enough to swallow the last-place differences between two maths libraries."""


class Stream:
    """Random numbers for one purpose.

    >>> Stream("training data", "adding", 7, seed=0).integers(0, 10, (3,))
    array([0, 2, 9])
    """

    def __init__(self, purpose: str, *scope: str | int, seed: int) -> None:
        label = json.dumps([purpose, *scope, seed], separators=(",", ":"))
        key = np.frombuffer(hashlib.sha256(label.encode()).digest()[:16], dtype="<u8")
        self._words = np.random.Philox(key=key.astype(np.uint64))

    def uniform(self, shape: tuple[int, ...]) -> np.ndarray:
        """float64 in [0, 1), multiples of 2^-23."""
        return (self._raw(shape) >> np.uint64(41)).astype(np.float64) * UNIFORM_GRID

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """float64, standard normal by the inverse distribution function, not yet on a grid."""
        # 52 bits, so that adding a half is exact: with 53 the largest word would round up to 1.
        centred = ((self._raw(shape) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return np.asarray(ndtri(centred))

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        """int64 in [low, high), by multiplying the top 32 bits out (bias below range / 2^32)."""
        top = self._raw(shape) >> np.uint64(32)
        return low + ((top * np.uint64(high - low)) >> np.uint64(32)).astype(np.int64)

    def permutation(self, size: int) -> np.ndarray:
        """int64 [size], each of 0..size-1 once."""
        return np.argsort(self._raw((size,)), kind="stable")

    def _raw(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._words.random_raw(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def on_grid(values: np.ndarray) -> np.ndarray:
    """float64 rounded to what float32 holds and two maths libraries agree on."""
    rounded = np.round(values / NORMAL_GRID) * NORMAL_GRID
    return rounded.astype(np.float32).astype(np.float64)
