"""Seeds drawn again: which, and what the mean over blocks is with them.

One seed gives one run in every block (task x architecture x size), and these runs share their
weights and data. So a draw takes a seed with all its runs, the same for every block and method:
whoever draws (block, seed) pairs one by one counts a lucky seed as many lucky runs. What is drawn
depends on the number of seeds alone, so a method's numbers do not change when others are added.
"""

from __future__ import annotations

import numpy as np

from bench.seeding import Stream

_CHUNK = 2048  # replicates at a time: so much stays in the cache


def draw_counts(unit: str, num_units: int, num_replicates: int) -> np.ndarray:
    """How often each unit is in each replicate [units, replicates], float64; columns sum to units.

    `unit` names what is drawn ("seeds"). More replicates begin with the same ones.
    """
    drawn = Stream(f"bootstrap over {unit}", num_units, seed=0).integers(
        0, num_units, (num_replicates, num_units)
    )
    places = drawn + np.arange(num_replicates)[:, None] * num_units
    counts = np.bincount(places.ravel(), minlength=num_replicates * num_units)
    return np.ascontiguousarray(counts.reshape(num_replicates, num_units).T, dtype=np.float64)


def means_over_blocks(
    values: np.ndarray,
    present: np.ndarray,
    seed_counts: np.ndarray,
    block_counts: np.ndarray | None = None,
) -> np.ndarray:
    """Mean over blocks of the mean over seeds, under each replicate's counts. [replicates]

    `values`, `present` [blocks, seeds]: runs that are not `present` have no weight. `seed_counts`
    [seeds, replicates]; `block_counts` [blocks, replicates], without which each block counts once.
    A block of whose seeds none was drawn keeps its own mean.

    Only sums, products and quotients of float64, one after another: the same bits everywhere.
    """
    values = np.where(present, values, 0.0)
    weights = present.astype(np.float64)
    if present.all() and block_counts is None:  # the blocks' means can be taken first
        per_seed = _in_turn(values) / values.shape[0]
        means: np.ndarray = _weighted(seed_counts, per_seed[:, None])[0] / _in_turn(seed_counts)
        return means
    result = np.empty(seed_counts.shape[1])
    own = _in_turn(values.T) / np.maximum(_in_turn(weights.T), 1.0)
    for start in range(0, result.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        counts = seed_counts[:, part]
        totals, sizes = _weighted(counts, values.T), _weighted(counts, weights.T)
        means = np.where(sizes > 0, totals / np.maximum(sizes, 1.0), own[:, None])
        if block_counts is not None:
            means = means * block_counts[:, part]
        result[part] = _in_turn(means) / values.shape[0]
    return result


def _weighted(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`counts` [units, replicates], `values` [units, items] -> their products' sums over units
    [items, replicates]. Not a matrix product: a BLAS rounds as it likes."""
    totals = np.zeros((values.shape[1], counts.shape[1]))
    product = np.empty_like(totals)
    for count, value in zip(counts, values, strict=True):
        np.multiply(value[:, None], count, out=product)
        totals += product
    return totals


def _in_turn(rows: np.ndarray) -> np.ndarray:
    """The sum of the rows, one after another, whatever NumPy would do for speed."""
    total: np.ndarray = np.zeros(rows.shape[1:])
    for row in rows:
        total += row
    return total
