"""The one entry point: stored runs in, a folder with tables, figures and report.md out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.records import BadInput
from bench.reporting.analysis import Analysis, analyse
from bench.reporting.collection import NotCounted, StoredRun
from bench.reporting.curves import Gap
from bench.reporting.document import document
from bench.reporting.events import event_rows
from bench.reporting.figure_files import DrawnFigure, drawn_figures
from bench.reporting.files import publish
from bench.reporting.formats import FORMATS, render
from bench.reporting.list_tables import events_table, not_counted_table, not_estimable_table
from bench.reporting.result_tables import result_tables
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Table
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
    found = analyse(runs)
    if not found.summaries:
        raise BadInput(f"{folder}: there are no runs to report; start some with: bench run")
    files = publish(folder, _files(found, alarms, processes))
    return Report(folder, found.summaries, found.not_counted, alarms, files)


def _files(found: Analysis, alarms: Sequence[str], processes: int) -> Iterator[tuple[str, bytes]]:
    gaps: list[Gap] = []
    figures: list[DrawnFigure] = []
    for figure in drawn_figures(found, gaps, processes):
        for suffix, content in figure.files.items():
            yield f"figures/{figure.name}.{suffix}", content
        figures.append(replace(figure, files={}))
    tables = _tables(found, gaps)
    for table in tables:
        for suffix in FORMATS:
            yield f"tables/{table.name}.{suffix}", render(table, suffix).encode()
    text = document(found.summaries, found.not_counted, alarms, found.made_with, tables, figures)
    yield "report.md", text.encode()


def _tables(found: Analysis, gaps: Sequence[Gap]) -> list[Table]:
    cells = found.cells
    return [
        *result_tables(found),
        events_table([row for cell in cells for row in event_rows(cell)], cells),
        not_estimable_table(missing(found.summaries, gaps), cells),
        not_counted_table(found.not_counted),
    ]
