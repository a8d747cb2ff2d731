"""How long the runs of a cell took to solve, where they may diverge or freeze first.

Diverging competes with solving, and so does freezing: such a run will not solve, so it counts as
unsolved for good. Steps are updates; the horizon of every mean is the cell's budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.records import RunRecord
from bench.reporting.cells import Cell
from bench.reporting.pairs import PooledPairs, beside_control
from bench.stats.estimates import Estimate, NotEstimable
from bench.stats.incidence import Cause, FirstEvents, cumulative_incidence, first_events
from bench.stats.multiplicity import holm_family
from bench.stats.running_time import (
    PairedDifference,
    RestrictedMean,
    RunningTime,
    SolveTimes,
    expected_running_time,
    restricted_mean_difference,
    restricted_mean_steps,
)
from bench.stats.sign_flip import flip_p


@dataclass(frozen=True)
class Reached:
    """Runs to which it happened first, by the budget; their share and its interval."""

    count: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class CellTimes:
    cell: Cell
    first: dict[Cause, Reached | NotEstimable]  # solved, diverged, frozen
    restricted_mean: RestrictedMean | NotEstimable
    running_time: RunningTime | NotEstimable


@dataclass(frozen=True)
class ComparedTimes:
    """The restricted means of a mitigation and of none in shares of the budget, over blocks."""

    mitigation: str
    num_blocks: int
    num_dropped: int  # seeds without a result of one of the two in some block
    mean: Estimate
    mean_of_none: Estimate
    difference: PairedDifference | NotEstimable
    p: Estimate
    p_adjusted: Estimate  # by Holm over the mitigations compared


def events_of(runs: Sequence[RunRecord]) -> FirstEvents:
    """What happened first to each run, in updates."""
    return first_events(
        np.array([_solved_step(run) for run in runs]),
        np.array([run.steps_done for run in runs]),
        np.array([run.outcome.value for run in runs], dtype=str),
        np.array([run.spec.steps for run in runs]),
    )


def times_of(cell: Cell) -> CellTimes:
    budget = float(cell.spec.steps)
    events = events_of(cell.results)
    has_solved = events.causes == Cause.SOLVED.value
    lost = np.isin(events.causes, (Cause.DIVERGED.value, Cause.FROZEN.value))
    times = SolveTimes(
        np.where(has_solved, events.steps, np.inf), np.where(lost, np.inf, events.budgets)
    )
    first: dict[Cause, Reached | NotEstimable] = {}
    for cause in (Cause.SOLVED, Cause.DIVERGED, Cause.FROZEN):
        curve = cumulative_incidence(events, cause)
        at_end = curve if isinstance(curve, NotEstimable) else curve.at(budget)
        count = int((events.causes == cause.value).sum())
        first[cause] = at_end if isinstance(at_end, NotEstimable) else Reached(count, *at_end)
    return CellTimes(
        cell,
        first,
        restricted_mean_steps(times, budget),
        expected_running_time(events.steps, has_solved, budget),
    )


def compared_times(cells: Sequence[Cell]) -> list[ComparedTimes]:
    """Each mitigation with none, on the seeds that have both in every block of the two.

    Each block weighs the same. p: sign flips of whole seeds, over all blocks at once.
    """
    found = [_compared(name, PooledPairs(each)) for name, each in beside_control(cells).items()]
    family = holm_family("steps to solve, each against none", [each.p for each in found])
    return [
        replace(each, p_adjusted=adjusted)
        for each, adjusted in zip(found, family.adjusted, strict=True)
    ]


def _compared(name: str, pairs: PooledPairs) -> ComparedTimes:
    blocks = pairs.present.any(axis=1)
    complete = pairs.present[blocks].all(axis=0) & blocks.any()
    num_blocks, num_dropped = int(blocks.sum()), int((~complete).sum())
    if not complete.any():
        none = NotEstimable("no seed has both in every block")
        return ComparedTimes(name, num_blocks, num_dropped, none, none, none, none, none)
    ours, theirs = (
        each[blocks][:, complete].mean(axis=0) for each in pairs.numbers(_share_of_budget)
    )
    difference = restricted_mean_difference(_all_known(ours), _all_known(theirs), 1.0)
    p, _ = flip_p(np.round(ours - theirs, 12))  # what cancels over blocks is 0
    return ComparedTimes(
        name, num_blocks, num_dropped, _mean(ours), _mean(theirs), difference, p, p
    )


def _share_of_budget(run: RunRecord) -> float:
    """Restricted to the budget, which an unsolved run counts as."""
    return 1.0 if run.solved_step is None else run.solved_step / run.spec.steps


def _all_known(steps: np.ndarray) -> SolveTimes:
    return SolveTimes(steps, np.full(steps.shape, np.inf))


def _mean(values: np.ndarray) -> float:
    """One after another: the same rounding everywhere."""
    return float(np.cumsum(values)[-1]) / values.size


def _solved_step(run: RunRecord) -> float:
    return math.inf if run.solved_step is None else run.solved_step
