"""The report on the screen: what came of each task, and where the files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.reporting import wording
from bench.reporting.cells import distinct
from bench.reporting.endings import endings, not_counted
from bench.reporting.overview import count
from bench.reporting.pages.panels import by_panel, chunks
from bench.reporting.summaries import CellSummary
from bench.reporting.writing import Report

_CELL_WIDTH = 24  # characters, of a cell at its usual


def print_summary(report: Report, file: TextIO | None = None) -> None:
    """One table a task, the counts, and where the files are, to `file` (None: standard output).

    Where that is no terminal: plain characters, no colour, and lines as long as they need to be.
    """
    console = Console(file=file, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000
    for panel, summaries in by_panel(report.summaries):
        architectures = distinct(summary.cell.architecture for summary in summaries)
        for columns in chunks(architectures, max(1, console.width // _CELL_WIDTH - 1)):
            console.print(f"{panel}: {_metric(summaries)}", style="bold", soft_wrap=True)
            console.print(_table(summaries, columns, is_plain=not console.is_terminal))
    for line in _lines(report):
        console.print(line, soft_wrap=True)


def _table(summaries: Sequence[CellSummary], columns: Sequence[str], *, is_plain: bool) -> Table:
    table = Table(box=ASCII if is_plain else SIMPLE_HEAD, show_lines=is_plain)
    table.add_column("mitigation")
    for name in columns:
        table.add_column(Text(name))
    places = {(one.cell.mitigation, one.cell.architecture): one for one in summaries}
    for mitigation in distinct(summary.cell.mitigation for summary in summaries):
        found = [places.get((mitigation, architecture)) for architecture in columns]
        table.add_row(Text(mitigation), *map(_cell, found))
    return table


def _metric(summaries: Sequence[CellSummary]) -> str:
    """ "mse on test data, lower is better, chance 0.167"."""
    known = next((summary for summary in summaries if summary.higher_is_better is not None), None)
    if known is None:
        return "no current results"
    chance = "" if known.chance is None else f", chance {wording.number(known.chance)}"
    better = "higher" if known.higher_is_better else "lower"
    return f"{known.metric_name} on test data, {better} is better{chance}"


def _cell(summary: CellSummary | None) -> Text:
    if summary is None:
        return Text("not run", style="dim")
    if summary.num_runs == 0:
        return Text(", ".join(endings(summary)), style="yellow")
    without = ", ".join(not_counted(summary))
    lines = [
        ", ".join(endings(summary)),
        wording.metric(summary.metric, summary.num_diverged),
        f"(not counted: {without})" if without else "",
    ]
    return Text("\n".join(filter(None, lines)), style=_color(summary))


def _color(summary: CellSummary) -> str:
    """The words say it all; the colour only draws the eye."""
    if 2 * summary.num_diverged > summary.num_runs:
        return "red"
    solved = sum(record.solved_step is not None for record in summary.cell.results)
    return "green" if solved == summary.num_runs else ""


def _lines(report: Report) -> Iterator[str]:
    counts = count(report.summaries, report.not_counted)
    yield counts.in_words()
    if report.not_counted:
        yield f"not counted: {counts.not_counted_in_words()} (listed in the report)"
    yield from (f"contradiction: {alarm}" for alarm in report.alarms)
    yield f"report:  {report.folder / 'report.md'}"
    for kind in ("tables", "figures"):
        files = [file for file in report.files if file.parent.name == kind]
        num = len({file.stem for file in files})
        suffixes = ", ".join(dict.fromkeys(file.suffix for file in files))
        if files:
            yield f"{kind + ':':<8} {report.folder / kind} ({num} as {suffixes})"
