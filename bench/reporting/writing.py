"""The one entry point: stored runs in, a folder with tables, figures and report.md out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.records import BadInput
from bench.reporting.cell_tables import learning_table, outcomes_table
from bench.reporting.cells import group
from bench.reporting.collection import NotCounted, StoredRun, collect
from bench.reporting.comparison_tables import comparison_tables
from bench.reporting.cost_table import costs_table
from bench.reporting.curves import Gap
from bench.reporting.document import document
from bench.reporting.events import event_rows
from bench.reporting.figure_files import DrawnFigure, drawn_figures
from bench.reporting.files import publish
from bench.reporting.formats import FORMATS, render
from bench.reporting.list_tables import events_table, not_counted_table, not_estimable_table
from bench.reporting.made_with import MadeWith
from bench.reporting.summaries import CellSummary, summarise
from bench.reporting.tables import Table
from bench.reporting.trials import Search, Trials, trials_table
from bench.reporting.unestimable import missing


@dataclass(frozen=True)
class Report:
    """What was written, and the numbers in it."""

    folder: Path
    summaries: Sequence[CellSummary]  # by task, architecture, mitigation
    not_counted: Sequence[NotCounted]
    alarms: Sequence[str]
    files: Sequence[Path]


def write_report(
    runs: Iterable[StoredRun], folder: Path, alarms: Sequence[str] = (), processes: int = 1
) -> Report:
    """Writes `folder`/report.md, `folder`/tables and `folder`/figures, all or nothing.

    Each run must be there once; `alarms` are lines about results that contradict one another.
    Curves are read cell by cell, so what `runs` come from must stay open until the return. The same
    runs give the same bytes, in whichever order they come. Many figures are drawn by `processes`,
    of which a script may ask for several under `if __name__ == "__main__"` alone. Raises BadInput
    where there are no runs or `folder` cannot be written.
    """
    made_with = MadeWith()
    trials = Trials()
    collected = collect(trials.watch(made_with.watch(runs)))
    summaries = [summarise(cell) for cell in group(collected, trials.chosen)]
    if not summaries:
        raise BadInput(f"{folder}: there are no runs to report; start some with: bench run")
    not_counted = sorted(
        (run for cell in collected.values() for run in cell.not_counted), key=_order
    )
    searches = trials.searches(summaries)
    files = publish(
        folder, _files(summaries, not_counted, alarms, searches, made_with.lines(), processes)
    )
    return Report(folder, summaries, not_counted, alarms, files)


def _files(
    summaries: Sequence[CellSummary],
    not_counted: Sequence[NotCounted],
    alarms: Sequence[str],
    searches: Sequence[Search],
    made_with: Sequence[str],
    processes: int,
) -> Iterator[tuple[str, bytes]]:
    gaps: list[Gap] = []
    figures: list[DrawnFigure] = []
    for figure in drawn_figures(summaries, gaps, processes):
        for suffix, content in figure.files.items():
            yield f"figures/{figure.name}.{suffix}", content
        figures.append(replace(figure, files={}))
    tables = _tables(summaries, not_counted, gaps, searches)
    for table in tables:
        for suffix in FORMATS:
            yield f"tables/{table.name}.{suffix}", render(table, suffix).encode()
    text = document(summaries, not_counted, alarms, made_with, tables, figures)
    yield "report.md", text.encode()


def _tables(
    summaries: Sequence[CellSummary],
    not_counted: Sequence[NotCounted],
    gaps: Sequence[Gap],
    searches: Sequence[Search],
) -> list[Table]:
    cells = [summary.cell for summary in summaries]
    return [
        outcomes_table(summaries),
        learning_table(summaries),
        *comparison_tables(cells),
        costs_table(summaries),
        *([trials_table(searches)] if searches else []),
        events_table([row for cell in cells for row in event_rows(cell)], cells),
        not_estimable_table(missing(summaries, gaps), cells),
        not_counted_table(not_counted),
    ]


def _order(run: NotCounted) -> tuple[object, ...]:
    spec = run.record.spec
    return (*spec.names, spec.seed, run.run_id)
