"""Did one diverge more often than the other? One cell, pairs of runs with the same seed.

Only the pairs in which exactly one of the two diverged say anything about the difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom  # type: ignore[attr-defined]

from bench.stats.estimates import NotEstimable
from bench.stats.melding import melded_interval


@dataclass(frozen=True)
class McNemar:
    """Of `num_pairs` pairs `only_first` and `only_second` differ, one way or the other.

    `difference` is the rate of the first less that of the second, [low, high] its interval, which
    leaves 0 out if and only if `p` is at most 1 less the confidence.
    """

    only_first: int
    only_second: int
    num_pairs: int
    num_dropped: int  # pairs of which a run was missing
    p: float
    difference: float
    low: float
    high: float


def mcnemar(
    first: np.ndarray,
    second: np.ndarray,
    present: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
) -> McNemar | NotEstimable:
    """`first`, `second` [seeds], bool: whether the event happened under each of the two.

    Estimates the difference of the two rates over seeds. Assumes that seeds are independent; the
    two runs of a pair may depend on each other in any way. `present` [seeds] is False only where
    one of the two has no result at all (nothing ran, or it failed): that pair is dropped and
    counted. Not estimable without a pair. Raises ValueError for arrays that are not bool [seeds] of
    one length.

    Reference: McNemar, Note on the sampling error of the difference between correlated proportions
    or percentages, Psychometrika 12 (1947), with the exact binomial distribution; the interval is
    that of bench.stats.melding.

    >>> mcnemar(np.array([True] * 6 + [False] * 4), np.zeros(10, dtype=bool)).p
    0.03125
    """
    if present is None:
        present = np.ones(len(first), dtype=bool)
    for name, array in (("first", first), ("second", second), ("present", present)):
        if array.dtype != bool or array.shape != (len(first),):
            raise ValueError(f"{name} is {array.dtype} {list(array.shape)}, not bool [seeds]")
    num_pairs = int(present.sum())
    if num_pairs == 0:
        return NotEstimable("no pairs")
    only_first = int((first & ~second & present).sum())
    only_second = int((second & ~first & present).sum())
    low, high = melded_interval(only_first, only_second, num_pairs, confidence)
    return McNemar(
        only_first=only_first,
        only_second=only_second,
        num_pairs=num_pairs,
        num_dropped=int((~present).sum()),
        p=exact_p(only_first, only_second),
        difference=(only_first - only_second) / num_pairs,
        low=low,
        high=high,
    )


def exact_p(only_first: int, only_second: int) -> float:
    """Two-sided p of "both ways are equally likely": binomial with 1/2, twice the smaller tail."""
    discordant = only_first + only_second
    tail = binom.cdf(min(only_first, only_second), discordant, 0.5)
    return min(1.0, 2 * float(tail))


def smallest_p(num_pairs: int) -> float:
    """What the test gives where all pairs differ in the same way: no data give less.

    >>> [smallest_p(pairs) for pairs in (3, 5, 6)]
    [0.25, 0.0625, 0.03125]
    """
    if num_pairs < 0:
        raise ValueError(f"{num_pairs} pairs")
    return min(1.0, 2.0 ** (1 - num_pairs))
