"""From an estimate under many draws of the seeds to the interval for it."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from bench.stats.estimates import NotEstimable


def percentile_interval(
    replicates: np.ndarray, num_units: int, confidence: float = 0.95, *, rounding: float = 0.0
) -> tuple[float, float] | NotEstimable:
    """Ends are order statistics of `replicates` [replicates], further out where units are few.

    The plain percentiles are too near each other by sqrt(1 - 1/n) and by Student's t against the
    normal: 86 % instead of 95 at 6 seeds. The expanded ones mend both. Not estimable where the
    replicates vary by no more than `rounding`.
    Reference: Hesterberg, What teachers should know about the bootstrap, The American Statistician
    69 (2015): expanded percentile interval.
    """
    ordered = np.sort(replicates)
    if ordered[-1] - ordered[0] <= rounding:
        return NotEstimable(f"all draws of {num_units} seeds give {ordered[0]:g}")
    tail = float(ndtr(-_expanded(num_units, confidence)))
    return _order_statistic(ordered, tail), _order_statistic(ordered, 1 - tail)


def bca_interval(
    replicates: np.ndarray,
    estimate: float,
    left_out: np.ndarray,
    confidence: float = 0.95,
    *,
    rounding: float = 0.0,
) -> tuple[float, float] | NotEstimable:
    """Percentiles corrected for bias and acceleration, expanded as those above.

    `replicates` [replicates], `left_out` [units]: the estimate without each unit. Not estimable
    where the former vary by no more than `rounding`, the latter not at all, or the estimate is
    beyond all replicates.
    Reference: Efron, Better bootstrap confidence intervals, Journal of the American Statistical
    Association 82 (1987); Efron and Tibshirani (1993), equations 14.10, 14.14 and 14.15.
    """
    ordered = np.sort(replicates)
    below = ((ordered < estimate).mean() + (ordered <= estimate).mean()) / 2
    spread = _mean(left_out) - left_out
    squares = float(np.cumsum(spread**2)[-1])
    if ordered[-1] - ordered[0] <= rounding or squares == 0 or not 0 < below < 1:
        return NotEstimable(f"all draws of {left_out.size} seeds give {ordered[0]:g}")
    bias = float(ndtri(below))
    acceleration = float(np.cumsum(spread**3)[-1]) / (6 * squares**1.5)
    normal = _expanded(left_out.size, confidence)
    low, high = (
        float(ndtr(bias + (bias + end) / (1 - acceleration * (bias + end))))
        for end in (-normal, normal)
    )
    return _order_statistic(ordered, low), _order_statistic(ordered, high)


def expansion(num_units: int, confidence: float) -> float:
    """By how much an interval from draws of so few units is too short, were all normal."""
    tail = (1 + confidence) / 2
    return float(np.sqrt(num_units / (num_units - 1)) * stdtrit(num_units - 1, tail) / ndtri(tail))


def _expanded(num_units: int, confidence: float) -> float:
    return expansion(num_units, confidence) * float(ndtri((1 + confidence) / 2))


def _order_statistic(ordered: np.ndarray, share: float) -> float:
    """No interpolation, so the last bit of `share` does not reach the result."""
    return float(ordered[min(int(share * ordered.size), ordered.size - 1)])


def _mean(values: np.ndarray) -> float:
    return float(np.cumsum(values)[-1]) / values.size
