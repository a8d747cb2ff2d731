"""The one entry point: stored runs in, a folder with tables, figures and report.md out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.records import BadInput
from bench.reporting.cell_tables import learning_table, outcomes_table
from bench.reporting.cells import group
from bench.reporting.collection import LeftOut, StoredRun, collect
from bench.reporting.curves import Gap
from bench.reporting.document import document
from bench.reporting.events import event_rows
from bench.reporting.figure_files import DrawnFigure, drawn_figures
from bench.reporting.files import publish
from bench.reporting.formats import FORMATS, render
from bench.reporting.list_tables import events_table, left_out_table, not_estimable_table
from bench.reporting.summaries import CellSummary, summarise
from bench.reporting.tables import Table
from bench.reporting.unestimable import missing


@dataclass(frozen=True)
class Report:
    """What was written, and the numbers in it."""

    folder: Path
    summaries: Sequence[CellSummary]  # by task, architecture, mitigation
    left_out: Sequence[LeftOut]
    alarms: Sequence[str]
    files: Sequence[Path]


def write_report(runs: Iterable[StoredRun], folder: Path, alarms: Sequence[str] = ()) -> Report:
    """Writes `folder`/report.md, `folder`/tables and `folder`/figures, all or nothing.

    Each run must be there once; `alarms` are lines about results that contradict one another.
    Curves are read cell by cell, so what `runs` come from must stay open until the return. The same
    runs give the same bytes, in whichever order they come. Raises BadInput where there are no runs
    or `folder` cannot be written.
    """
    collected = collect(runs)
    summaries = [summarise(cell) for cell in group(collected)]
    if not summaries:
        raise BadInput(f"{folder}: there are no runs to report; start some with: bench run")
    left_out = sorted((run for cell in collected.values() for run in cell.left_out), key=_order)
    files = publish(folder, _files(summaries, left_out, alarms))
    return Report(folder, summaries, left_out, alarms, files)


def _files(
    summaries: Sequence[CellSummary], left_out: Sequence[LeftOut], alarms: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    gaps: list[Gap] = []
    figures: list[DrawnFigure] = []
    for figure in drawn_figures(summaries, gaps):
        for suffix, content in figure.files.items():
            yield f"figures/{figure.name}.{suffix}", content
        figures.append(replace(figure, files={}))
    tables = _tables(summaries, left_out, gaps)
    for table in tables:
        for suffix in FORMATS:
            yield f"tables/{table.name}.{suffix}", render(table, suffix).encode()
    yield "report.md", document(summaries, left_out, alarms, tables, figures).encode()


def _tables(
    summaries: Sequence[CellSummary], left_out: Sequence[LeftOut], gaps: Sequence[Gap]
) -> list[Table]:
    return [
        outcomes_table(summaries),
        learning_table(summaries),
        events_table([row for one in summaries for row in event_rows(one.cell)]),
        not_estimable_table(missing(summaries, gaps)),
        left_out_table(left_out),
    ]


def _order(run: LeftOut) -> tuple[object, ...]:
    spec = run.record.spec
    return (*spec.names, spec.seed, run.run_id)
