"""Rows of a fixed training set, in a new order every epoch."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bench.seeding import Stream


def epoch_rows(data: str, total: int, step: int, seed: int, count: int) -> np.ndarray:
    """int64 [count]: the rows of update `step` (from 1), out of `total`, without replacement within
    an epoch. The order depends on the seed and on `data`, the name of the set."""
    start, end = (step - 1) * count, step * count
    pieces = []
    while start < end:
        epoch, place = divmod(start, total)
        pieces.append(_order(data, total, epoch, seed)[place : place + end - start])
        start += len(pieces[-1])
    return np.concatenate(pieces)


@lru_cache(maxsize=8)
def _order(data: str, total: int, epoch: int, seed: int) -> np.ndarray:
    return Stream("training data", data, epoch, seed=seed).permutation(total)
