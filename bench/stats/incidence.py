"""How many by when: time to solve, where a run may diverge or freeze first.

Diverging competes with solving: a run that diverged will never solve, so it stays "not solved" for
good. To censor it there instead, as if it had only been watched too briefly, makes Kaplan-Meier
credit it with the success of the survivors: of 10 runs that end 4 solved, 4 diverged early and 2
out of steps, that estimate claims 67 % solved where 40 % have.

The first event of a run counts. A run that solves and diverges later has solved; how many solved
and were still alive at the end is a count of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion, clopper_pearson


class Cause(StrEnum):
    """What happened first to a run."""

    SOLVED = "solved"
    DIVERGED = "diverged"
    FROZEN = "frozen"
    NONE = "none"  # by the end of its budget


@dataclass(frozen=True, eq=False)
class FirstEvents:
    """The first event of each run, within its budget of steps. All [runs]."""

    steps: np.ndarray  # of the event; the budget where there was none
    causes: np.ndarray  # of Cause
    budgets: np.ndarray  # known beforehand, so also of the runs that ended earlier


@dataclass(frozen=True, eq=False)
class Incidence:
    """Share of the runs to which `cause` had happened first, from each step on. All [points].

    A step function: what holds at `steps[i]` holds up to `steps[i + 1]`, the last up to
    `last_step`. Each interval by itself covers at least as often as it says.
    """

    cause: Cause
    num_runs: int
    steps: np.ndarray  # rising, from 0
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    last_step: float  # beyond it nobody was watched

    def at(self, step: float) -> tuple[float, float, float] | NotEstimable:
        """(share, low, high) by `step`. Raises ValueError for a negative step."""
        if step < 0:
            raise ValueError(f"step {step} is before the start")
        if step > self.last_step:
            return NotEstimable(f"no run was watched beyond step {self.last_step:g}")
        index = int(np.searchsorted(self.steps, step, side="right")) - 1
        return float(self.share[index]), float(self.low[index]), float(self.high[index])


def first_events(
    solved_steps: np.ndarray, end_steps: np.ndarray, endings: np.ndarray, budgets: np.ndarray
) -> FirstEvents:
    """What happened first to each run. All arguments [runs].

    `solved_steps`: infinity for a run that did not solve. `end_steps`: the last step it took.
    `endings`: "diverged", "frozen" or "completed" (or any other word for "nothing went wrong").
    A run stopped when it solved has its event, and needs no more steps. Where solving has to be
    confirmed by later checks but is dated back to the first, as in a run record, a run whose budget
    ends before the confirmation has not solved. Raises ValueError on NaN,
    on steps out of order, and for a run that is neither solved nor ended nor at its budget.
    """
    solved, ends, limits = (
        np.asarray(steps, dtype=np.float64) for steps in (solved_steps, end_steps, budgets)
    )
    endings = np.asarray(endings, dtype=str)
    has_solved = np.isfinite(solved)
    if np.isnan(solved).any() or np.isnan(ends).any() or np.isnan(limits).any():
        raise ValueError("a step is NaN; a run that did not solve has infinity")
    if (has_solved & (solved > ends)).any() or (ends > limits).any():
        raise ValueError("a run solved after its end, or ended after its budget")
    causes = np.full(solved.shape, Cause.NONE.value, dtype="<U8")
    for cause in (Cause.DIVERGED, Cause.FROZEN):
        causes[endings == cause.value] = cause.value
    causes[has_solved] = Cause.SOLVED.value
    if ((causes == Cause.NONE.value) & (ends < limits)).any():
        raise ValueError("a run stopped early without a reason: it is not a result")
    return FirstEvents(np.where(has_solved, solved, ends), causes, limits)


def cumulative_incidence(
    events: FirstEvents, cause: Cause, confidence: float = 0.95
) -> Incidence | NotEstimable:
    """The cumulative incidence function of `cause`, with an interval at each step.

    The estimate is that of Aalen and Johansen: a sum over event steps of (share without any event
    just before) x (events of this cause / runs at risk). Up to the first budget that ran out it is
    the plain count over all runs, and as such it is returned. It assumes that a budget says nothing
    about how its run would have fared (the budget was set beforehand, and not by looking).

    The interval at step t is Clopper and Pearson's for the runs whose budget reaches t. Nothing is
    censored among those, so it covers at least as often as it says for every number of runs; it is
    widened where the estimate, which also uses the shorter runs, lies outside.

    Not estimable without a run, and beyond the last budget. Raises ValueError for `Cause.NONE`.

    References: Aalen and Johansen, An empirical transition matrix for non-homogeneous Markov chains
    based on censored observations, Scandinavian Journal of Statistics 5 (1978); Putter, Fiocco and
    Geskus, Tutorial in biostatistics: competing risks and multi-state models, Statistics in
    Medicine 26 (2007), section 3; Clopper and Pearson, Biometrika 26 (1934).
    """
    if cause is Cause.NONE:
        raise ValueError("to have had no event is not an event")
    if events.steps.size == 0:
        return NotEstimable("no runs")
    points, share, event_free = _aalen_johansen(events, cause)
    last = events.budgets.max() if event_free == 0 else events.steps.max()
    low, high = np.empty_like(share), np.empty_like(share)
    is_cause = events.causes == cause.value
    for index, step in enumerate(points):
        followed = events.budgets >= step
        count = int((is_cause & followed & (events.steps <= step)).sum())
        exact = clopper_pearson(count, int(followed.sum()), confidence)
        assert isinstance(exact, Proportion)  # `last` lies within some budget
        if followed.all():
            share[index] = exact.share
        low[index] = min(exact.low, share[index])
        high[index] = max(exact.high, share[index])
    return Incidence(cause, events.steps.size, points, share, low, high, float(last))


def solved_and_alive(
    solved_steps: np.ndarray, end_steps: np.ndarray, endings: np.ndarray, budgets: np.ndarray
) -> Proportion | NotEstimable:
    """How many runs solved and neither diverged nor froze up to the end of their budget.

    Arguments as in `first_events`. Not estimable without a run, or where a run was stopped because
    it had solved: nobody knows what would have become of it. The interval is Clopper and Pearson's.
    """
    events = first_events(solved_steps, end_steps, endings, budgets)
    solved = events.causes == Cause.SOLVED.value
    died = np.isin(np.asarray(endings, dtype=str), (Cause.DIVERGED.value, Cause.FROZEN.value))
    stopped = solved & ~died & (np.asarray(end_steps, dtype=np.float64) < events.budgets)
    if stopped.any():
        return NotEstimable(f"{stopped.sum()} of {stopped.size} runs were stopped when they solved")
    return clopper_pearson(int((solved & ~died).sum()), solved.size)


def _aalen_johansen(events: FirstEvents, cause: Cause) -> tuple[np.ndarray, np.ndarray, float]:
    """Points and shares [points], and the share without any event after the last.

    The points are 0, every step with an event, and the first step beyond every budget but the last.
    """
    happened = events.causes != Cause.NONE.value
    event_steps = events.steps[happened]
    beyond = events.budgets + 1
    points = np.unique(np.concatenate([[0.0], event_steps, beyond[beyond <= events.steps.max()]]))
    share, event_free, total = np.empty(points.size), 1.0, 0.0
    for index, step in enumerate(points):
        at_risk = int((events.steps >= step).sum())
        now = happened & (events.steps == step)
        total += event_free * int((now & (events.causes == cause.value)).sum()) / at_risk
        event_free *= (at_risk - int(now.sum())) / at_risk
        share[index] = total
    return points, share, event_free
