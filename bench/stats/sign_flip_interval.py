"""By how much: an interval for a mean of paired differences, from the differences' own signs.

If each difference is as likely to lie so far above the centre as below it, then the true centre
falls between any two neighbours of the ordered means of all subsets equally often ("typical
values"). The interval holds the shifts that the sign-flip test would not reject.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable

MAX_EXACT = 16
"""Up to so many differences all subsets are used; beyond, a fixed random choice of as many."""


def sign_flip_interval(
    differences: np.ndarray, confidence: float = 0.95
) -> tuple[float, float] | NotEstimable:
    """`differences` [pairs] -> (low, high) for their centre.

    Assumes independent differences, each symmetric about the centre: then it covers at least as
    often as it says, for every number of pairs and any distribution. That two methods which do the
    same have symmetric differences needs no assumption; of different ones it is an approximation
    (docs/statistics.md has the coverage measured). The bits do not depend on the machine.

    Not estimable where no interval can have this confidence (95 % needs 6 pairs), or where all
    differences are equal, zero included: they show no spread to judge by. Raises ValueError unless
    all differences are finite.

    References: Hartigan, Using subsample values as typical values, Journal of the American
    Statistical Association 64 (1969); for random subsets Hemerik and Goeman, Exact testing with
    random permutations, TEST 27 (2018).

    >>> sign_flip_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    (1.0, 6.0)
    """
    differences = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("a difference is not finite")
    num = differences.size
    sums, sizes = _all_subsets(differences) if num <= MAX_EXACT else _some_subsets(differences)
    rank = int((1 - confidence) / 2 * (sums.size + 1) + 1e-9)
    if rank == 0:
        needed = int(np.ceil(np.log2(2 / (1 - confidence)) - 1e-9))
        pairs = "1 pair" if num == 1 else f"{num} pairs"
        return NotEstimable(f"{pairs}: an interval of {confidence:.0%} needs {needed}")
    if np.ptp(differences) == 0:
        return NotEstimable(f"all {num} differences are {differences[0]:g}: no spread to judge by")
    means = np.sort(sums / sizes)
    return float(means[rank - 1]), float(means[-rank])


def _all_subsets(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sizes [2^n - 1] of all subsets but the empty one."""
    sums, sizes = np.zeros(1), np.zeros(1)
    for value in values:
        sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1])
    return sums[1:], sizes[1:]


def _some_subsets(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen = _random_subsets(values.size)
    sums = np.zeros(chosen.shape[1])
    for is_in, value in zip(chosen, values, strict=True):  # in turn: the same rounding everywhere
        sums += is_in * value
    return sums, chosen.sum(axis=0)


@lru_cache(maxsize=4)
def _random_subsets(num: int) -> np.ndarray:
    """[values, subsets], bool, none of them empty."""
    chosen = Stream("sign flips", num, seed=0).integers(0, 2, (2**MAX_EXACT - 1, num)) == 1
    return np.ascontiguousarray(chosen[chosen.any(axis=1)].T)
