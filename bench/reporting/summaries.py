"""From the runs of a cell to what the report says of it."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.records import EventKind, Outcome, RunRecord
from bench.reporting.cells import Cell
from bench.reporting.pairs import lacks_metric
from bench.stats.censoring import TimesToReach, times_to_reach
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion, clopper_pearson
from bench.stats.ranks import Spread, spread


@dataclass(frozen=True)
class CommonEvent:
    """The commonest kind among the first events of the runs: how many runs, their median step."""

    kind: EventKind
    num_runs: int
    median_step: int


@dataclass(frozen=True)
class CellSummary:
    cell: Cell
    outcomes: dict[Outcome, Proportion | NotEstimable]  # diverged, frozen, completed
    solved: Proportion | NotEstimable
    steps_to_solve: TimesToReach | NotEstimable
    metric_name: str
    higher_is_better: bool | None
    chance: float | None
    metric: Spread | NotEstimable  # on test data, at the end of the run
    first_event: CommonEvent | None
    diverged_at: int | None  # median update, over the runs that diverged

    @property
    def num_runs(self) -> int:
        return len(self.cell.results)

    @property
    def num_diverged(self) -> int:
        return sum(record.outcome is Outcome.DIVERGED for record in self.cell.results)


def summarise(cell: Cell) -> CellSummary:
    runs = cell.results
    ended = Counter(record.outcome for record in runs)
    higher = runs[0].facts.get("higher_is_better") if runs else None
    return CellSummary(
        cell=cell,
        outcomes={
            outcome: clopper_pearson(ended[outcome], len(runs))
            for outcome in (Outcome.DIVERGED, Outcome.FROZEN, Outcome.COMPLETED)
        },
        solved=clopper_pearson(sum(record.solved_step is not None for record in runs), len(runs)),
        steps_to_solve=_steps_to_solve(runs),
        metric_name=str(runs[0].facts.get("metric", "metric")) if runs else "",
        higher_is_better=None if higher is None else bool(higher),
        chance=chance_level(runs, "chance_metric"),
        metric=_metric(runs, higher),
        first_event=_commonest_first_event(runs),
        diverged_at=_diverged_at(runs),
    )


def chance_level(runs: Sequence[RunRecord], fact: str) -> float | None:
    """Median over the runs that state it: a task may compute it from each seed's own data."""
    levels = [float(record.facts[fact]) for record in runs if fact in record.facts]
    finite = [level for level in levels if math.isfinite(level)]
    return statistics.median(finite) if finite else None


def _steps_to_solve(runs: Sequence[RunRecord]) -> TimesToReach | NotEstimable:
    steps = [math.inf if record.solved_step is None else record.solved_step for record in runs]
    return times_to_reach(np.array(steps, dtype=np.float64))


def _metric(runs: Sequence[RunRecord], higher_is_better: object) -> Spread | NotEstimable:
    diverged = np.array([record.outcome is Outcome.DIVERGED for record in runs], dtype=bool)
    if runs and diverged.all():
        return NotEstimable(
            "the run diverged" if len(runs) == 1 else f"all {len(runs)} runs diverged"
        )
    unscored = sum(map(lacks_metric, runs))
    if unscored or (runs and higher_is_better is None):
        return NotEstimable(f"{unscored or len(runs)} of {len(runs)} runs hold no test metric")
    values = np.array([record.scores.get("test_metric", math.nan) for record in runs])
    return spread(values, diverged, higher_is_better=bool(higher_is_better))


def _commonest_first_event(runs: Sequence[RunRecord]) -> CommonEvent | None:
    steps: dict[EventKind, list[int]] = {}
    for record in runs:
        if record.first_event is not None:
            steps.setdefault(record.first_event.kind, []).append(record.first_event.step)
    if not steps:
        return None
    kind = min(steps, key=lambda kind: (-len(steps[kind]), kind))
    return CommonEvent(kind, len(steps[kind]), statistics.median_low(steps[kind]))


def _diverged_at(runs: Sequence[RunRecord]) -> int | None:
    ends = [record.steps_done for record in runs if record.outcome is Outcome.DIVERGED]
    return statistics.median_low(ends) if ends else None
