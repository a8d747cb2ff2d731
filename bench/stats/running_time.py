"""How many steps it costs to solve: the mean up to a horizon, and the mean with restarts.

A mean over the runs that solved is not one of them: it rewards a method whose slow runs diverge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.seeding import Stream
from bench.stats.bounded_mean import bounded_mean_interval, bounded_ratio_interval
from bench.stats.estimates import NotEstimable
from bench.stats.sign_flip_interval import sign_flip_interval


@dataclass(frozen=True, eq=False)
class SolveTimes:
    """When each run solved, and up to when the others are known not to have. Both [runs]."""

    steps: np.ndarray  # infinity for a run that did not solve
    followed: np.ndarray  # the budget of such a run; infinity if it diverged or froze


@dataclass(frozen=True)
class RestrictedMean:
    """Mean steps to solve up to `horizon`, which a run that took longer, or for ever, counts as."""

    mean: float
    interval: tuple[float, float]
    horizon: float
    num_solved: int  # by the horizon
    num_runs: int


@dataclass(frozen=True)
class PairedDifference:
    """First minus second: negative where the first solves sooner."""

    mean: float
    interval: tuple[float, float] | NotEstimable
    horizon: float
    num_pairs: int


@dataclass(frozen=True)
class RunningTime:
    """Steps of all runs for each success; infinite where none solved."""

    steps: float
    interval: tuple[float, float]  # its upper end may be infinite
    num_solved: int
    num_runs: int


def restricted_mean_steps(
    times: SolveTimes, horizon: float, confidence: float = 0.95
) -> RestrictedMean | NotEstimable:
    """The restricted mean of the steps to solve: the area under "share not solved yet".

    Its interval is `bounded_mean_interval` on [0, horizon]. Not estimable without a run, or where a
    run that had not solved was not followed up to the horizon. Raises ValueError on NaN or a
    horizon that is not positive and finite.

    Reference: Royston and Parmar, Restricted mean survival time, BMC Medical Research Methodology
    13 (2013).
    """
    restricted = _restricted(times, horizon)
    if isinstance(restricted, NotEstimable):
        return restricted
    interval = bounded_mean_interval(restricted, 0.0, horizon, confidence)
    if isinstance(interval, NotEstimable):
        return interval
    num_solved = int((times.steps <= horizon).sum())
    return RestrictedMean(_mean(restricted), interval, horizon, num_solved, restricted.size)


def restricted_mean_difference(
    first: SolveTimes, second: SolveTimes, horizon: float, confidence: float = 0.95
) -> PairedDifference | NotEstimable:
    """Difference of two restricted means over the same seeds, in the same order.

    Its interval is `sign_flip_interval` of the differences seed by seed; that of two methods which
    do the same is exact. Errors as in `restricted_mean_steps`; raises ValueError for different
    numbers of runs.
    """
    if first.steps.size != second.steps.size:
        raise ValueError(f"{first.steps.size} and {second.steps.size} runs are not pairs")
    one, other = _restricted(first, horizon), _restricted(second, horizon)
    if isinstance(one, NotEstimable):
        return one
    if isinstance(other, NotEstimable):
        return other
    if one.size == 0:
        return NotEstimable("no runs")
    interval = sign_flip_interval(one - other, confidence)
    return PairedDifference(_mean(one - other), interval, horizon, one.size)


def expected_running_time(
    steps: np.ndarray, solved: np.ndarray, budget: float, confidence: float = 0.95
) -> RunningTime | NotEstimable:
    """Steps until a success, for someone who starts again (with a new seed) after each failure.

    `steps` [runs]: of a run that solved, up to there; of any other, up to its end, be it the budget
    or a divergence; `solved` [runs]: bool. The estimate is the sum of all steps over the number of
    successes. 10 runs of which 4 solve after 450 steps on average, 4 diverge after 35 and 2 use up
    1000 take 985 steps a success, not 450. It favours failing early over failing late, as a
    practitioner would.

    Its interval allows for failures that cost the whole budget and have not been seen yet
    (`bounded_ratio_interval`); without a success its lower end still says "at least". A bootstrap
    of the same runs was measured to cover as little as 73 % of the time (docs/statistics.md).

    Not estimable without a run. Raises ValueError unless all steps are in (0, budget].

    Reference: Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, COCO: a platform for comparing
    continuous optimizers in a black-box setting, Optimization Methods and Software 36 (2021),
    section on expected running time (aRT).
    """
    steps, solved = _checked(steps, solved, budget)
    interval = bounded_ratio_interval(
        steps, solved.astype(np.float64), (0.0, 1.0), (budget, 0.0), confidence
    )
    if isinstance(interval, NotEstimable):
        return interval
    num_solved = int(solved.sum())
    estimate = float(np.cumsum(steps)[-1]) / num_solved if num_solved else np.inf
    return RunningTime(estimate, interval, num_solved, steps.size)


def simulated_restarts(
    steps: np.ndarray, solved: np.ndarray, budget: float, num_restarts: int = 10_000
) -> np.ndarray | NotEstimable:
    """Steps until a success [restarts], sorted, if runs are drawn with replacement up to one.

    How much luck there is in a single user's wait: its mean is the expected running time, its
    quantiles are not an interval for that mean. Arguments and errors as in `expected_running_time`;
    not estimable without a success. Reference: COCO as there, "simulated restarts".
    """
    steps, solved = _checked(steps, solved, budget)
    if not solved.any():
        return NotEstimable(f"none of {steps.size} runs solved" if steps.size else "no runs")
    stream = Stream("simulated restarts", steps.size, seed=0)
    spent, waiting = np.zeros(num_restarts), np.arange(num_restarts)
    while waiting.size:
        drawn = stream.integers(0, steps.size, (waiting.size,))
        spent[waiting] += steps[drawn]
        waiting = waiting[~solved[drawn]]
    return np.sort(spent)


def _checked(steps: np.ndarray, solved: np.ndarray, budget: float) -> tuple[np.ndarray, np.ndarray]:
    steps, solved = np.asarray(steps, dtype=np.float64), np.asarray(solved, dtype=bool)
    if steps.shape != solved.shape or not ((steps > 0) & (steps <= budget)).all():
        raise ValueError(f"the steps of each run must be above 0 and at most {budget:g}")
    return steps, solved


def _restricted(times: SolveTimes, horizon: float) -> np.ndarray | NotEstimable:
    """Steps to solve [runs], none above the horizon."""
    if not 0 < horizon < np.inf:
        raise ValueError(f"a horizon must be positive and finite, not {horizon}")
    steps, followed = (np.asarray(one, dtype=np.float64) for one in (times.steps, times.followed))
    if np.isnan(steps).any() or np.isnan(followed).any():
        raise ValueError("a step is NaN; a run that did not solve has infinity")
    unknown = int((np.isinf(steps) & (followed < horizon)).sum())
    if unknown:
        return NotEstimable(f"{unknown} of {steps.size} runs were not followed to step {horizon:g}")
    return np.minimum(steps, horizon)


def _mean(values: np.ndarray) -> float:
    """One after another: the same rounding everywhere."""
    return float(np.cumsum(values)[-1]) / values.size
