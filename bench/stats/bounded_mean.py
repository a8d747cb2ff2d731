"""How much on average, of a quantity whose range is known: honest about what was never seen.

Ten runs that all solved say nothing about the run that will not, and a bootstrap of them believes
that there is none. Here the data are joined by one more observation, the worst one possible, when
the upper end is sought, and by the best one for the lower; on zeros and ones this gives the
interval of Clopper and Pearson.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable

NUM_REPLICATES = 20_000


def bounded_mean_interval(
    values: np.ndarray, lowest: float, highest: float, confidence: float = 0.95
) -> tuple[float, float] | NotEstimable:
    """`values` [runs], all in [lowest, highest] -> (low, high) for their mean.

    Independent runs are the only assumption. Its ends are quantiles of the mean under weights drawn
    uniformly from the simplex, with `highest` (for the upper end) or `lowest` among the values.
    That it covers at least as often as it says has held in every case tried and is conjectured, not
    proven. Wide where runs are few, but an interval for every number of them.

    Not estimable without a run. Raises ValueError for a value outside.

    References: Gaffke, Three test statistics for a nonparametric one-sided hypothesis on the mean
    of a nonnegative variable, Mathematical Methods of Statistics 14 (2005); Learned-Miller and
    Thomas, A new confidence interval for the mean of a bounded random variable, arXiv:1905.06208.
    """
    values = np.asarray(values, dtype=np.float64)
    if not ((lowest <= values) & (values <= highest)).all():
        raise ValueError(f"a value is not between {lowest:g} and {highest:g}")
    ones = np.ones(values.size)
    return bounded_ratio_interval(values, ones, (lowest, 1.0), (highest, 1.0), confidence)


def p_mean_at_most(values: np.ndarray, bound: float, lowest: float, highest: float) -> float:
    """One-sided p of the hypothesis that the mean of `values` [runs] is at most `bound`.

    Small where it is clearly more; at most a if and only if the lower end of
    `bounded_mean_interval` at confidence 1 - 2 a is above `bound` (and at least 1 in 20,000, the
    number of weights drawn). Raises ValueError without a run and for a value outside.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0 or not ((lowest <= values) & (values <= highest)).all():
        raise ValueError(f"no value, or one that is not between {lowest:g} and {highest:g}")
    weights, ones = _simplex_weights(values.size), np.ones(values.size)
    means = _ratios(weights, values, ones, (lowest, 1.0))
    return max(1, int((means <= bound).sum())) / NUM_REPLICATES


def bounded_ratio_interval(
    numerators: np.ndarray,
    denominators: np.ndarray,
    lowest: tuple[float, float],
    highest: tuple[float, float],
    confidence: float = 0.95,
) -> tuple[float, float] | NotEstimable:
    """(low, high) for the ratio of two means over the same runs, both [runs] and not negative.

    `lowest` and `highest` are the runs (numerator, denominator) that pull the ratio down or up the
    most, whatever it is. The interval holds every ratio r for which `bounded_mean_interval` of
    numerator - r x denominator holds zero. Its upper end can be infinite, its lower end is finite.
    """
    numerators = np.asarray(numerators, dtype=np.float64)
    denominators = np.asarray(denominators, dtype=np.float64)
    if numerators.size == 0:
        return NotEstimable("no runs")
    weights = _simplex_weights(numerators.size)
    rank = int((1 - confidence) / 2 * NUM_REPLICATES)
    low = np.sort(_ratios(weights, numerators, denominators, lowest))[rank]
    high = np.sort(_ratios(weights, numerators, denominators, highest))[-1 - rank]
    return float(low), float(high)


@lru_cache(maxsize=8)
def _simplex_weights(num_runs: int) -> np.ndarray:
    """[runs + 1, replicates]: the gaps between sorted uniform numbers, exact in float64."""
    uniform = Stream("simplex weights", num_runs, seed=0).uniform((NUM_REPLICATES, num_runs))
    return np.diff(np.sort(uniform, axis=1).T, axis=0, prepend=0.0, append=1.0)


def _ratios(
    weights: np.ndarray,
    numerators: np.ndarray,
    denominators: np.ndarray,
    extra: tuple[float, float],
) -> np.ndarray:
    """[replicates]; infinite where no run with a denominator has weight."""
    top, bottom = weights[-1] * extra[0], weights[-1] * extra[1]
    for index in range(numerators.size):  # one after another: the same rounding everywhere
        top += weights[index] * numerators[index]
        bottom += weights[index] * denominators[index]
    ratios = np.full(top.size, np.inf)
    np.divide(top, bottom, out=ratios, where=bottom > 0)
    return ratios
