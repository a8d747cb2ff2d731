"""Stored runs -> all that a report or the paper says of them, still as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.reporting.cells import Cell, group
from bench.reporting.collection import NotCounted, StoredRun, collect
from bench.reporting.comparisons import Compared, compare
from bench.reporting.made_with import MadeWith
from bench.reporting.summaries import CellSummary, summarise
from bench.reporting.sweeps import Sweep, sweeps
from bench.reporting.trials import Search, Trials


@dataclass(frozen=True)
class Analysis:
    """Curves are read cell by cell when asked for: what the runs came from must stay open."""

    summaries: Sequence[CellSummary]  # by task, architecture, mitigation; of evaluation seeds alone
    not_counted: Sequence[NotCounted]
    searches: Sequence[Search]  # the trials of the protocol `tuned`
    sweeps: Sequence[Sweep]  # of learning rates
    made_with: Sequence[str]

    @property
    def cells(self) -> list[Cell]:
        return [summary.cell for summary in self.summaries]

    @cached_property
    def compared(self) -> Compared:
        """Each mitigation with none."""
        return compare(self.cells)


def analyse(runs: Iterable[StoredRun]) -> Analysis:
    """Each run must be there once, in any order. Without a run on an evaluation seed there are no
    summaries."""
    made_with, trials = MadeWith(), Trials()
    collected = collect(trials.watch(made_with.watch(runs)))
    summaries = [summarise(cell) for cell in group(collected, trials.chosen)]
    not_counted = sorted(
        (run for cell in collected.values() for run in cell.not_counted), key=_order
    )
    return Analysis(
        summaries=summaries,
        not_counted=not_counted,
        searches=trials.searches(summaries),
        sweeps=sweeps([summary.cell for summary in summaries], trials.swept),
        made_with=made_with.lines(),
    )


def _order(run: NotCounted) -> tuple[object, ...]:
    spec = run.record.spec
    return (*spec.names, spec.seed, run.run_id)
