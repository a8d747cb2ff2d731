"""Numbers and the words that stand for what is not a number, as a reader sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bench.stats.censoring import TimesToReach
from bench.stats.estimates import Estimate, NotEstimable
from bench.stats.proportions import Proportion
from bench.stats.ranks import Spread

NOT_ESTIMABLE = "not estimable"
NOT_REACHED = "not reached"
NOT_RECORDED = "not recorded"
NOTHING = "\N{EN DASH}"
NONE = "none"
"""The same for a machine, which may not know the dash."""


def number(value: float) -> str:
    """Three significant digits: 0.167, 2000, 1.3e+30."""
    if float(value).is_integer() and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}"


def share(proportion: Proportion | NotEstimable) -> str:
    """ "4/5 [28, 99]": the interval in per cent."""
    if isinstance(proportion, NotEstimable):
        return NOTHING
    low, high = (f"{100 * end:.0f}" for end in (proportion.low, proportion.high))
    return f"{proportion.count}/{proportion.total} [{low}, {high}]"


def points(difference: float) -> str:
    """A difference of shares in percentage points: "+25", "-3", "+0"."""
    return f"{round(100 * difference) + 0:+d}"


def probability(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def count(proportion: Proportion | NotEstimable) -> str:
    """ "4/5"."""
    if isinstance(proportion, NotEstimable):
        return NOTHING
    return f"{proportion.count}/{proportion.total}"


def steps(times: TimesToReach | NotEstimable, budget: int) -> str:
    """ "310 [260, > 2000]", or "not reached" where no run got there."""
    if isinstance(times, NotEstimable):
        return NOTHING
    if times.num_reached == 0:
        return NOT_REACHED
    quartiles = [times.lower_quartile, times.upper_quartile]
    ends = [_step(end, budget) for end in quartiles if not isinstance(end, NotEstimable)]
    return _step(times.median, budget) + (f" [{', '.join(ends)}]" if ends else "")


def metric(values: Spread | NotEstimable, num_diverged: int) -> str:
    """ "0.17 [0.16, diverged]", or "0.17 (0.15 to 0.2)", the range, with too few for quartiles."""
    if isinstance(values, NotEstimable):
        return NOT_ESTIMABLE
    low, high = values.lower_quartile, values.upper_quartile
    median = finite_or_worst(values.median, num_diverged)
    if values.num_runs == 1:
        return median
    if isinstance(low, NotEstimable) or isinstance(high, NotEstimable):
        ends = [finite_or_worst(end, num_diverged) for end in (values.lowest, values.highest)]
        return f"{median} ({' to '.join(ends)})"
    return f"{median} [{', '.join(finite_or_worst(end, num_diverged) for end in (low, high))}]"


def finite_or_worst(value: float, num_diverged: int) -> str:
    return number(value) if math.isfinite(value) else worst(num_diverged)


def worst(num_diverged: int) -> str:
    """What a run without a finite metric is called: a frozen one need not have diverged."""
    return "diverged" if num_diverged else "not finite"


def in_full(estimate: Estimate) -> float | None:
    """For a machine: None where there is no finite number; `note` says why."""
    if isinstance(estimate, NotEstimable) or math.isinf(estimate):
        return None
    return int(estimate) if estimate.is_integer() else estimate


def note(estimates: Mapping[str, Estimate], infinite: str) -> str:
    """ "median: not reached; upper_quartile: not estimable", or "none" where all are numbers."""
    words = (
        f"{name}: {NOT_ESTIMABLE if isinstance(estimate, NotEstimable) else infinite}"
        for name, estimate in estimates.items()
        if in_full(estimate) is None
    )
    return "; ".join(words) or NONE


def _step(step: float, budget: int) -> str:
    return f"> {budget}" if math.isinf(step) else str(int(step))
