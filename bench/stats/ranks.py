"""How good: quantiles over runs of which some have no number because they diverged.

Such a run is worse than any number. It is infinite, is never dropped and is never given a number
that somebody chose: whatever it touches becomes infinite, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.estimates import Estimate, NotEstimable, too_few_for_quartiles


@dataclass(frozen=True)
class Spread:
    """In the order of the numbers, whichever end is the good one.

    Infinity is "diverged": positive where less is better, negative where more is.
    """

    num_runs: int
    median: float
    lower_quartile: Estimate
    upper_quartile: Estimate
    lowest: float
    highest: float


def quantile(costs: np.ndarray, share: float) -> np.ndarray:
    """`costs` [runs, ...], infinity the worst -> the quantile at `share` over the runs [...].

    Linear between neighbours like NumPy's default, except that a neighbour of infinity is infinite.
    No cost becomes smaller by making another run worse, to the last bit. Raises ValueError on NaN
    and without a run.

    Reference: definition 7 of Hyndman and Fan, Sample quantiles in statistical packages,
    The American Statistician 50 (1996).
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.shape[0] == 0 or np.isnan(costs).any():
        raise ValueError("a quantile needs at least one run and no NaN")
    ordered = np.sort(costs, axis=0)
    position = share * (costs.shape[0] - 1)
    below: np.ndarray = ordered[int(position)]
    above: np.ndarray = ordered[int(np.ceil(position))]
    weight = position - int(position)
    if weight == 0.0:
        return below
    worst = np.isinf(above)
    above_or_below = np.where(worst, below, above)
    # A sum of two products with fixed weights is monotone in both ends even after rounding, which
    # below + weight * (above - below) is not; the clip returns equal neighbours exactly.
    with np.errstate(invalid="ignore"):  # infinity below: replaced in the last line
        between = np.clip((1 - weight) * below + weight * above_or_below, below, above)
    result: np.ndarray = np.where(worst, above, between)
    return result


def spread(
    values: np.ndarray, is_worst: np.ndarray, *, higher_is_better: bool
) -> Spread | NotEstimable:
    """Median, quartiles and range of `values` [runs], of which `is_worst` [runs] count as worst.

    A value that is not finite counts as worst as well. Not estimable without a run and where every
    run is worst; the quartiles not with fewer than 4 runs.
    """
    values = np.asarray(values, dtype=np.float64)
    worst = np.asarray(is_worst, dtype=bool) | ~np.isfinite(values)
    if values.size == 0:
        return NotEstimable("no runs")
    if worst.all():
        return NotEstimable("no run ended with a finite value")
    sign = -1.0 if higher_is_better else 1.0
    costs = np.where(worst, np.inf, sign * values)
    at = {share: sign * float(quantile(costs, share)) + 0.0 for share in (0, 0.25, 0.5, 0.75, 1)}
    low, high = (0.75, 0.25) if higher_is_better else (0.25, 0.75)
    too_few = too_few_for_quartiles(values.size)
    return Spread(
        num_runs=values.size,
        median=at[0.5],
        lower_quartile=too_few or at[low],
        upper_quartile=too_few or at[high],
        lowest=min(at[0], at[1]),
        highest=max(at[0], at[1]),
    )
