"""The tables of a report: outcomes, learning, events, and the runs that were left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from bench.records import Outcome
from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.collection import LeftOut
from bench.reporting.events import EventRow
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Column, Row, Table, Value, build
from bench.reporting.unestimable import Missing
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion

Fields: TypeAlias = Mapping[str, Callable[[CellSummary], Value]]


def outcomes_table(summaries: Sequence[CellSummary]) -> Table:
    caption = (
        "How the runs ended: k/n [exact 95 % interval in per cent]. First event: what most often "
        "went wrong first, the median update at which it did, and in how many runs."
    )
    columns = [
        *_labels([summary.cell for summary in summaries], lambda row: row.cell),
        Column("Runs", lambda row: str(row.num_runs), {"runs": lambda row: row.num_runs}),
        _share(
            _diverged_heading(summaries), "diverged", lambda row: row.outcomes[Outcome.DIVERGED]
        ),
        _share("Frozen", "frozen", lambda row: row.outcomes[Outcome.FROZEN]),
        _share("Completed", "completed", lambda row: row.outcomes[Outcome.COMPLETED]),
        _share("Solved", "solved", lambda row: row.solved),
        Column("First event", _first_event, _FIRST_EVENT_FIELDS, is_text=True),
    ]
    if any(summary.cell.why_left_out for summary in summaries):
        columns.append(Column("Left out", _left_out, {}, is_text=True))
    columns.append(Column("", None, {"left_out": lambda row: sum(row.cell.why_left_out.values())}))
    return build("outcomes", "Outcomes", caption, columns, summaries)


def learning_table(summaries: Sequence[CellSummary]) -> Table:
    caption = (
        "What the runs learned: median [quartiles] over all runs of a cell, or (range) where they "
        "are too few. A run that never solved the task counts as infinitely slow, one that "
        "diverged as worse than any number."
    )
    columns = [
        *_labels([summary.cell for summary in summaries], lambda row: row.cell),
        Column("Solved", lambda row: wording.count(row.solved), _solved_fields()),
        Column(
            "Steps to solve",
            lambda row: wording.steps(row.steps_to_solve, row.cell.spec.steps),
            _steps_fields(),
        ),
        Column(
            "Budget",
            lambda row: str(row.cell.spec.steps),
            {"budget_steps": lambda row: row.cell.spec.steps},
        ),
        Column("Metric", _metric_name, _METRIC_NAME_FIELDS, is_text=True),
        Column(
            "On test data",
            lambda row: wording.metric(row.metric, row.num_diverged),
            _metric_fields(),
        ),
        Column(
            "Chance",
            lambda row: wording.NOTHING if row.chance is None else wording.number(row.chance),
            {
                "chance_level": lambda row: (
                    wording.NOT_RECORDED if row.chance is None else row.chance
                )
            },
        ),
    ]
    return build("learning", "Learning", caption, columns, summaries)


def events_table(rows: Sequence[EventRow]) -> Table:
    caption = "Numbers that went wrong: medians over the runs that had the event."
    columns = [
        *_labels([row.cell for row in rows], lambda row: row.cell),
        Column(
            "Event", lambda row: row.kind.value, {"event": lambda row: row.kind.value}, is_text=True
        ),
        _of_runs("Runs", "runs_with_event", lambda row: row.num_runs),
        Column("", None, {"runs": lambda row: len(row.cell.results)}),
        Column(
            "Updates",
            lambda row: str(row.median_updates),
            {"median_updates": lambda row: row.median_updates},
        ),
        _of_runs("Came first", "runs_where_first", lambda row: row.num_first),
        Column(
            "At step",
            lambda row: _or_nothing(row.median_first_step),
            {"median_first_step": lambda row: _or_word(row.median_first_step, "never first")},
        ),
        Column(
            "In",
            lambda row: row.commonest_tensor or wording.NOTHING,
            {"commonest_tensor": lambda row: row.commonest_tensor or "never first"},
            is_text=True,
        ),
    ]
    return build("events", "Events", caption, columns, rows)


def not_estimable_table(rows: Sequence[Missing]) -> Table:
    caption = "What the data cannot support, and why."
    columns = [
        *_labels([row.cell for row in rows], lambda row: row.cell),
        Column("What", lambda row: row.what, {"what": lambda row: row.what}, is_text=True),
        Column("Why", lambda row: row.reason, {"why": lambda row: row.reason}, is_text=True),
    ]
    return build("not_estimable", "Not estimable", caption, columns, rows)


def left_out_table(runs: Sequence[LeftOut]) -> Table:
    caption = "Runs that no number of this report counts."
    columns: list[Column[LeftOut]] = [
        _plain("Task", "task", lambda run: run.record.spec.task.name),
        _plain("Architecture", "architecture", lambda run: run.record.spec.architecture.name),
        _plain("Mitigation", "mitigation", lambda run: run.record.spec.mitigation_name),
        _plain("Optimizer", "optimizer", lambda run: run.record.spec.optimizer.name),
        Column(
            "Seed",
            lambda run: str(run.record.spec.seed),
            {"seed": lambda run: run.record.spec.seed},
        ),
        _plain("Why", "reason", lambda run: run.reason),
        _plain("Run", "run_id", lambda run: run.run_id),
        _plain("Error", "error", lambda run: _last_line(run.record.error)),
    ]
    return build("left_out", "Left out", caption, columns, runs)


def _labels(cells: Sequence[Cell], cell_of: Callable[[Row], Cell]) -> list[Column[Row]]:
    """Optimiser and settings are shown to a reader only where they differ."""

    def label(heading: str, key: str, read: Callable[[Cell], str], *, shown: bool) -> Column[Row]:
        text = (lambda row: read(cell_of(row)) or wording.NOTHING) if shown else None
        fields = {key: lambda row: read(cell_of(row)) or "as all"}
        return Column(heading, text, fields, is_text=True)

    several_optimizers = len({cell.optimizer for cell in cells}) > 1
    conditions = any(cell.conditions for cell in cells)
    return [
        label("Task", "task", lambda cell: cell.task, shown=True),
        label("Optimizer", "optimizer", lambda cell: cell.optimizer, shown=several_optimizers),
        label("Settings", "settings", lambda cell: cell.conditions, shown=conditions),
        label("Architecture", "architecture", lambda cell: cell.architecture, shown=True),
        label("Mitigation", "mitigation", lambda cell: cell.mitigation, shown=True),
        Column("", None, {"cell_id": lambda row: cell_of(row).cell_id}),
    ]


def _share(
    heading: str, key: str, read: Callable[[CellSummary], Proportion | NotEstimable]
) -> Column[CellSummary]:
    def end(row: CellSummary, name: str) -> Value:
        proportion = read(row)
        if isinstance(proportion, NotEstimable):
            return 0 if name == "count" else wording.NOT_ESTIMABLE
        return getattr(proportion, name)  # type: ignore[no-any-return]

    return Column(
        heading,
        lambda row: wording.share(read(row)),
        {
            key: lambda row: end(row, "count"),
            f"{key}_share_low": lambda row: end(row, "low"),
            f"{key}_share_high": lambda row: end(row, "high"),
        },
    )


def _diverged_heading(summaries: Sequence[CellSummary]) -> str:
    """Where solved runs were stopped, divergence after solving was not looked for."""
    stopped = all(summary.cell.spec.stop_on_solved for summary in summaries)
    return "Diverged before solving" if stopped and summaries else "Diverged"


def _first_event(row: CellSummary) -> str:
    event = row.first_event
    if event is None:
        return wording.NOTHING
    return f"{event.kind.value} at {event.median_step} ({event.num_runs}/{row.num_runs})"


_FIRST_EVENT_FIELDS: Fields = {
    "first_event": lambda row: row.first_event.kind.value if row.first_event else "none",
    "first_event_runs": lambda row: row.first_event.num_runs if row.first_event else 0,
    "first_event_median_step": lambda row: (
        row.first_event.median_step if row.first_event else "none"
    ),
}


def _left_out(row: CellSummary) -> str:
    reasons = row.cell.why_left_out
    return ", ".join(f"{num} {reason}" for reason, num in reasons.items()) or wording.NOTHING


def _solved_fields() -> Fields:
    return {
        "solved": lambda row: 0 if isinstance(row.solved, NotEstimable) else row.solved.count,
        "runs": lambda row: row.num_runs,
    }


def _steps_fields() -> Fields:
    def field(name: str) -> Callable[[CellSummary], Value]:
        def read(row: CellSummary) -> Value:
            times = row.steps_to_solve
            estimate = times if isinstance(times, NotEstimable) else getattr(times, name)
            return wording.cell_value(estimate, wording.NOT_REACHED)

        return read

    names = ("median", "lower_quartile", "upper_quartile")
    return {f"steps_to_solve_{name}": field(name) for name in names}


def _metric_name(row: CellSummary) -> str:
    if row.higher_is_better is None:
        return wording.NOTHING
    return f"{row.metric_name}, {'higher' if row.higher_is_better else 'lower'} is better"


_METRIC_NAME_FIELDS: Fields = {
    "metric": lambda row: row.metric_name or wording.NOT_RECORDED,
    "better": lambda row: {True: "higher", False: "lower", None: wording.NOT_RECORDED}[
        row.higher_is_better
    ],
}


def _metric_fields() -> Fields:
    def field(name: str) -> Callable[[CellSummary], Value]:
        def read(row: CellSummary) -> Value:
            values = row.metric
            estimate = values if isinstance(values, NotEstimable) else getattr(values, name)
            return wording.cell_value(estimate, wording.worst(row.num_diverged))

        return read

    names = ("median", "lower_quartile", "upper_quartile", "lowest", "highest")
    return {f"test_metric_{name}": field(name) for name in names}


def _of_runs(heading: str, key: str, read: Callable[[EventRow], int]) -> Column[EventRow]:
    return Column(heading, lambda row: f"{read(row)}/{len(row.cell.results)}", {key: read})


def _plain(
    heading: str, key: str, read: Callable[[LeftOut], str], *, is_text: bool = True
) -> Column[LeftOut]:
    return Column(
        heading,
        lambda run: read(run) or wording.NOTHING,
        {key: lambda run: read(run) or "none"},
        is_text,
    )


def _last_line(error: str | None) -> str:
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _or_nothing(step: int | None) -> str:
    return wording.NOTHING if step is None else str(step)


def _or_word(step: int | None, word: str) -> Value:
    return word if step is None else step
