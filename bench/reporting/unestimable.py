"""What the data of a report cannot support, cell by cell, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.reporting.cells import Cell
from bench.reporting.curves import Gap
from bench.reporting.summaries import CellSummary
from bench.stats.estimates import NotEstimable


@dataclass(frozen=True)
class Missing:
    cell: Cell
    what: str
    reason: str


def missing(summaries: Sequence[CellSummary], gaps: Sequence[Gap]) -> list[Missing]:
    """In the order of the cells; a cell without any result says only that."""
    drawn: dict[str, list[str]] = {}
    for gap in gaps:
        drawn.setdefault(gap.cell.cell_id, []).append(gap.reason)
    return [
        Missing(summary.cell, what, reason)
        for summary in summaries
        for what, reason in _of_cell(summary, drawn.get(summary.cell.cell_id, []))
    ]


def _of_cell(summary: CellSummary, gaps: Sequence[str]) -> Iterator[tuple[str, str]]:
    if summary.num_runs == 0:
        yield "everything", "no current results"
        return
    steps, metric = summary.steps_to_solve, summary.metric
    if isinstance(metric, NotEstimable):
        yield "test metric", metric.reason
    elif isinstance(metric.lower_quartile, NotEstimable):
        yield "quartiles of the test metric", metric.lower_quartile.reason
    if not isinstance(steps, NotEstimable) and isinstance(steps.lower_quartile, NotEstimable):
        yield "quartiles of the steps to solve", steps.lower_quartile.reason
    for reason in gaps:
        yield "figures", reason
