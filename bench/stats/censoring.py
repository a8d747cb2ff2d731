"""How long: steps to a goal that some runs never reach.

All runs have the same budget, so the empirical distribution with infinity for the runs that did not
reach the goal is the Kaplan-Meier estimate. A run that diverged cannot reach it any more: it is
infinite too, and not censored where it ended, which would flatter a method whose runs die young.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.estimates import Estimate, NotEstimable, too_few_for_quartiles


@dataclass(frozen=True)
class TimesToReach:
    """The step by which a half, a quarter and three quarters of the runs had reached the goal.

    Infinity says that so many never did.
    """

    num_reached: int
    num_runs: int
    median: float
    lower_quartile: Estimate
    upper_quartile: Estimate


def times_to_reach(steps: np.ndarray) -> TimesToReach | NotEstimable:
    """`steps` [runs], infinity for a run that never reached the goal.

    Quartiles are order statistics (the inverse of the empirical distribution), so each is a step at
    which some run reached the goal, or infinity. Not estimable without a run; the quartiles not
    with fewer than 4. Raises ValueError on NaN.
    """
    steps = np.asarray(steps, dtype=np.float64)
    if np.isnan(steps).any():
        raise ValueError("a step is NaN; a run that never reached the goal is infinity")
    if steps.size == 0:
        return NotEstimable("no runs")
    lower, median, upper = np.quantile(steps, (0.25, 0.5, 0.75), method="inverted_cdf")
    too_few = too_few_for_quartiles(steps.size)
    return TimesToReach(
        num_reached=int(np.isfinite(steps).sum()),
        num_runs=steps.size,
        median=float(median),
        lower_quartile=too_few or float(lower),
        upper_quartile=too_few or float(upper),
    )
