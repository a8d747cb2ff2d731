"""The tables that list: events, what cannot be estimated, and the runs that do not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.collection import NotCounted
from bench.reporting.events import EventRow
from bench.reporting.label_columns import label_columns
from bench.reporting.tables import Column, Table, build, whole_number, words
from bench.reporting.unestimable import Missing


def events_table(rows: Sequence[EventRow], cells: Sequence[Cell]) -> Table:
    """`cells` are all of the report: a reader is told what varies among them."""
    caption = "Numbers that went wrong: medians over the runs that had the event."
    columns = [
        *label_columns(cells, lambda row: row.cell),
        words("Event", "event", lambda row: row.kind.value),
        _of_runs("Runs", "runs_with_event", lambda row: row.num_runs),
        Column("", None, {"runs": lambda row: len(row.cell.results)}),
        whole_number("Updates", "median_updates", lambda row: row.median_updates),
        _of_runs("Came first", "runs_where_first", lambda row: row.num_first),
        Column(
            "At step",
            lambda row: _or_nothing(row.median_first_step),
            {"median_first_step": lambda row: row.median_first_step},
        ),
        Column(
            "In",
            lambda row: row.commonest_tensor or wording.NOTHING,
            {"commonest_tensor": lambda row: row.commonest_tensor or wording.NONE},
            is_text=True,
        ),
    ]
    return build("events", "Events", caption, columns, rows)


def not_estimable_table(rows: Sequence[Missing], cells: Sequence[Cell]) -> Table:
    """`cells` as in events_table."""
    caption = "What the data cannot support, and why."
    columns: list[Column[Missing]] = [
        *label_columns(cells, lambda row: row.cell),
        words("What", "what", lambda row: row.what),
        words("Why", "why", lambda row: row.reason),
    ]
    return build("not_estimable", "Not estimable", caption, columns, rows)


def not_counted_table(runs: Sequence[NotCounted]) -> Table:
    caption = "Runs that no number of this report counts."
    columns: list[Column[NotCounted]] = [
        _plain("Task", "task", lambda run: run.record.spec.task.name),
        _plain("Architecture", "architecture", lambda run: run.record.spec.architecture.name),
        _plain("Mitigation", "mitigation", lambda run: run.record.spec.mitigation_name),
        _plain("Optimizer", "optimizer", lambda run: run.record.spec.optimizer.name),
        whole_number("Seed", "seed", lambda run: run.record.spec.seed),
        _plain("Why", "reason", lambda run: run.reason),
        _plain("Run", "run_id", lambda run: run.run_id),
        _plain("Error", "error", lambda run: _last_line(run.record.error)),
    ]
    return build("not_counted", "Not counted", caption, columns, runs)


def _of_runs(heading: str, key: str, read: Callable[[EventRow], int]) -> Column[EventRow]:
    return Column(heading, lambda row: f"{read(row)}/{len(row.cell.results)}", {key: read})


def _plain(
    heading: str, key: str, read: Callable[[NotCounted], str], *, is_text: bool = True
) -> Column[NotCounted]:
    return Column(
        heading,
        lambda run: read(run) or wording.NOTHING,
        {key: lambda run: read(run) or wording.NONE},
        is_text,
    )


def _last_line(error: str | None) -> str:
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _or_nothing(step: int | None) -> str:
    return wording.NOTHING if step is None else str(step)
