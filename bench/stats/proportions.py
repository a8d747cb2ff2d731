"""How often: k of n runs, with an exact interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scipy.stats import binomtest  # type: ignore[attr-defined]

from bench.stats.estimates import NotEstimable


@dataclass(frozen=True)
class Proportion:
    """`count` of `total`, and the interval [low, high] for the share behind it (0 to 1)."""

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.count / self.total


@cache
def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> Proportion | NotEstimable:
    """`count` of `total` with the exact two-sided interval, which covers at least `confidence`.

    Not estimable without a run. Raises ValueError unless 0 <= count <= total.

    Reference: Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case
    of the binomial, Biometrika 26 (1934).

    >>> clopper_pearson(0, 5)
    Proportion(count=0, total=5, low=0.0, high=0.5218237501049814)
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share")
    if total == 0:
        return NotEstimable("no runs")
    interval = binomtest(count, total).proportion_ci(confidence, method="exact")
    return Proportion(count, total, float(interval.low), float(interval.high))
