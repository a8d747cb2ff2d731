"""Is there a difference over all blocks? The seed is the unit, not the (block, seed) pair.

One seed runs in every block (task, architecture, size) with the same streams of random numbers, so
its pairs may go the same way in all of them. If the two methods did not differ, swapping them for a
seed, in all blocks at once, would be as likely as not: that is the null distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.seeding import Stream
from bench.stats.bounded_mean import bounded_mean_interval
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import exact_p
from bench.stats.melding import melded_interval

MAX_EXACT = 16  # seeds: 2^16 sign patterns
NUM_DRAWS = 2**15 - 1
ROUNDING = 1e-9  # relative: sums that close are the same sum


@dataclass(frozen=True)
class SignFlip:
    """The mean difference over blocks, its interval, and the p of "no difference for any seed".

    The interval leaves 0 out of its inside if and only if `p` is at most 1 less the confidence.
    `is_exact` says whether all sign patterns were counted, or a sample of them.
    """

    effect: float
    low: float
    high: float
    p: float
    is_exact: bool
    num_seeds: int
    num_blocks: int
    num_pairs: int
    num_dropped: int  # (block, seed) pairs of which a run was missing


def sign_flip(
    differences: np.ndarray, present: np.ndarray | None = None, *, confidence: float = 0.95
) -> SignFlip | NotEstimable:
    """`differences` [blocks, seeds], each -1, 0 or 1: of the first less of the second.

    Estimates the mean over blocks of the mean over seeds; each block weighs the same. Assumes that
    seeds are independent, and of the blocks nothing. `present` [blocks, seeds] is False only where
    one run of the pair has no result at all: the pair is dropped and counted, and so is a block or
    seed without a pair. Not estimable without a pair. Raises ValueError for other values or shapes.

    p: Fisher's randomisation test over all sign patterns (for one block McNemar's), with more than
    16 seeds that differ over a fixed sample of them, as (1 + count) / (1 + draws): Phipson and
    Smyth, Permutation p-values should never be zero, Statistical Applications in Genetics and
    Molecular Biology 9 (2010).
    Interval: see `_interval`; it is cut off or extended at 0 where it contradicts p.
    """
    differences, present = checked_differences(differences, present)
    blocks, seeds = present.any(axis=1), present.any(axis=0)
    if not blocks.any():
        return NotEstimable("no pairs")
    num_dropped = int((~present).sum())
    present = present[blocks][:, seeds]
    values = np.where(present, differences[blocks][:, seeds], 0.0)
    weighted = values / (present.sum(axis=1, keepdims=True) * len(present))
    contributions = np.round(weighted.sum(axis=0), 12)  # what cancels over blocks is 0
    effect = float(weighted.sum())
    p, is_exact = _one_block_p(values) if len(values) == 1 else flip_p(contributions)
    low, high = _interval(values, present, confidence)
    if p > 1 - confidence:
        low, high = min(low, 0.0), max(high, 0.0)
    else:
        low, high = (max(low, 0.0), high) if effect > 0 else (low, min(high, 0.0))
    return SignFlip(
        effect=effect,
        low=low,
        high=high,
        p=p,
        is_exact=is_exact,
        num_seeds=int(seeds.sum()),
        num_blocks=int(blocks.sum()),
        num_pairs=int(present.sum()),
        num_dropped=num_dropped,
    )


def checked_differences(
    differences: np.ndarray, present: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Both [blocks, seeds], float and bool; where no pair is present there may be anything."""
    differences = np.asarray(differences, dtype=np.float64)
    present = np.ones(differences.shape, dtype=bool) if present is None else np.asarray(present)
    if differences.ndim != 2 or present.shape != differences.shape or present.dtype != bool:
        raise ValueError("differences and present (bool) are [blocks, seeds]")
    if not np.isin(differences[present], (-1.0, 0.0, 1.0)).all():
        raise ValueError("a difference is neither -1, 0 nor 1")
    return differences, present


def flip_p(contributions: np.ndarray) -> tuple[float, bool]:
    """`contributions` [seeds] to the statistic -> two-sided p, and whether it is exact.

    A seed that contributes 0 stays 0 with either sign and is left out of the enumeration.
    """
    moving = contributions[contributions != 0]
    threshold = abs(moving.sum()) - ROUNDING * np.abs(moving).sum()
    if moving.size <= MAX_EXACT:
        sums = np.zeros(1)
        for each in moving:
            sums = np.concatenate([sums + each, sums - each])
        return float((np.abs(sums) >= threshold).mean()), True
    sums = np.zeros(NUM_DRAWS)
    for signs, each in zip(_signs(moving.size), moving, strict=True):
        sums += signs * each  # one after another: the same rounding everywhere
    return float(1 + (np.abs(sums) >= threshold).sum()) / (1 + NUM_DRAWS), False


def _one_block_p(values: np.ndarray) -> tuple[float, bool]:
    """McNemar's: flipping signs of 1 and -1 is tossing coins."""
    return exact_p(int((values == 1).sum()), int((values == -1).sum())), True


@lru_cache(maxsize=4)
def _signs(num_seeds: int) -> np.ndarray:
    """[seeds, draws] of -1.0 and 1.0."""
    drawn = Stream("sign flip", num_seeds, seed=0).integers(0, 2, (NUM_DRAWS, num_seeds))
    return np.ascontiguousarray(2.0 * drawn.T - 1.0)


def _interval(values: np.ndarray, present: np.ndarray, confidence: float) -> tuple[float, float]:
    """For the mean over blocks and seeds of `values` [blocks, seeds], from the seeds as units.

    One block: bench.stats.melding, which agrees with McNemar's test. More: the seeds' means over
    blocks are independent and between -1 and 1, and bench.stats.bounded_mean needs no more; a pair
    that is missing there counts as -1 for the lower end and as 1 for the upper.
    """
    if len(values) == 1:
        plus, minus = int((values == 1).sum()), int((values == -1).sum())
        return melded_interval(plus, minus, int(present.sum()), confidence)
    lowest, highest = (np.where(present, values, worst).mean(axis=0) for worst in (-1.0, 1.0))
    lower = bounded_mean_interval(lowest, -1.0, 1.0, confidence)
    upper = lower if present.all() else bounded_mean_interval(highest, -1.0, 1.0, confidence)
    assert not isinstance(lower, NotEstimable)  # there is a seed
    assert not isinstance(upper, NotEstimable)
    return lower[0], upper[1]
