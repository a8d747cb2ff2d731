"""The two tables with a line for each cell: how its runs ended, and what they learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bench.records import Outcome
from bench.reporting import best, wording
from bench.reporting.endings import not_counted
from bench.reporting.label_columns import label_columns
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Column, Table, Value, build, whole_number
from bench.stats.censoring import TimesToReach
from bench.stats.estimates import Estimate, NotEstimable
from bench.stats.proportions import Proportion
from bench.stats.ranks import Spread

Fields: TypeAlias = Mapping[str, Callable[[CellSummary], Value]]


def outcomes_table(summaries: Sequence[CellSummary]) -> Table:
    caption = (
        "How the runs ended: k/n [exact 95 % interval in per cent]. Diverged at: the median update "
        "of the runs that did. First event: the number that most often was the first not to be "
        "finite or to overflow, the median update at which it was, and in how many runs. A run "
        "whose loss only grew beyond its bound has none."
    )
    cells = [summary.cell for summary in summaries]
    marks = best.marks_of(cells)
    columns = [
        *label_columns(cells, lambda row: row.cell),
        whole_number("Runs", "runs", lambda row: row.num_runs),
        *_diverged(summaries),
        Column(
            "Diverged at",
            lambda row: wording.NOTHING if row.diverged_at is None else str(row.diverged_at),
            {"diverged_median_step": lambda row: row.diverged_at},
        ),
        _share("Frozen", "frozen", lambda row: row.outcomes[Outcome.FROZEN]),
        _share("Completed", "completed", lambda row: row.outcomes[Outcome.COMPLETED]),
        replace(
            _share("Solved", "solved", lambda row: row.solved),
            emphasis=lambda row: best.emphasis(marks[row.cell.cell_id]),
        ),
        _standing(marks),
        Column("First event", _first_event, _FIRST_EVENT_FIELDS, is_text=True),
    ]
    fields: Fields = {"not_counted": lambda row: sum(row.cell.why_not_counted.values())}
    some = any(summary.cell.why_not_counted for summary in summaries)
    columns.append(Column("Not counted", _not_counted if some else None, fields, is_text=True))
    caption = " ".join(filter(None, [caption, best.explanation(cells, marks)]))
    return build("outcomes", "Outcomes", caption, columns, summaries)


def learning_table(summaries: Sequence[CellSummary]) -> Table:
    caption = (
        "What the runs learned: median [quartiles] over all runs of a cell, or (range) where they "
        "are too few. A run that never solved the task counts as infinitely slow, one that "
        "diverged as worse than any number."
    )
    columns = [
        *label_columns([summary.cell for summary in summaries], lambda row: row.cell),
        Column("Solved", lambda row: wording.count(row.solved), _solved_fields()),
        Column(
            "Steps to solve",
            lambda row: wording.steps(row.steps_to_solve, row.cell.spec.steps),
            _steps_fields(),
        ),
        whole_number("Budget", "budget_steps", lambda row: row.cell.spec.steps),
        Column("Metric", _metric_name, _METRIC_NAME_FIELDS, is_text=True),
        Column(
            "On test data",
            lambda row: wording.metric(row.metric, row.num_diverged),
            _metric_fields(),
        ),
        Column(
            "Chance",
            lambda row: wording.NOTHING if row.chance is None else wording.number(row.chance),
            {"chance_level": lambda row: row.chance},
        ),
    ]
    return build("learning", "Learning", caption, columns, summaries)


def _share(
    heading: str,
    key: str,
    read: Callable[[CellSummary], Proportion | NotEstimable],
    suffix: Callable[[CellSummary], str] = lambda _: "",
) -> Column[CellSummary]:
    """`suffix` of a row stands behind its numbers."""

    def end(row: CellSummary, name: str) -> Value:
        proportion = read(row)
        if isinstance(proportion, NotEstimable):
            return 0 if name == "count" else None
        return getattr(proportion, name)  # type: ignore[no-any-return]

    return Column(
        heading,
        lambda row: wording.share(read(row)) + suffix(row),
        {
            key: lambda row: end(row, "count"),
            f"{key}_share_low": lambda row: end(row, "low"),
            f"{key}_share_high": lambda row: end(row, "high"),
        },
    )


def _diverged(summaries: Sequence[CellSummary]) -> list[Column[CellSummary]]:
    """Where solved runs were stopped, divergence after solving was not looked for."""
    stopped = {summary.cell.spec.stop_on_solved for summary in summaries}
    heading = "Diverged before solving" if stopped == {True} else "Diverged"

    def suffix(row: CellSummary) -> str:
        return " before solving" if len(stopped) > 1 and row.cell.spec.stop_on_solved else ""

    def looked_for(row: CellSummary) -> str:
        return "before solving" if row.cell.spec.stop_on_solved else "over the whole budget"

    return [
        _share(heading, "diverged", lambda row: row.outcomes[Outcome.DIVERGED], suffix),
        Column("", None, {"divergence_looked_for": looked_for}),
    ]


def _standing(marks: best.Marks) -> Column[CellSummary]:
    """In a word what the emphasis of "Solved" says."""
    return Column(
        "",
        None,
        {
            "solved_standing": lambda row: best.word(marks[row.cell.cell_id]),
            "solved_standing_p_adjusted": lambda row: best.p_adjusted(marks[row.cell.cell_id]),
        },
    )


def _first_event(row: CellSummary) -> str:
    event = row.first_event
    if event is None:
        return wording.NOTHING
    return f"{event.kind.value} at {event.median_step} ({event.num_runs}/{row.num_runs})"


_FIRST_EVENT_FIELDS: Fields = {
    "first_event": lambda row: row.first_event.kind.value if row.first_event else wording.NONE,
    "first_event_runs": lambda row: row.first_event.num_runs if row.first_event else 0,
    "first_event_median_step": lambda row: row.first_event.median_step if row.first_event else None,
}


def _not_counted(row: CellSummary) -> str:
    return ", ".join(not_counted(row)) or wording.NOTHING


def _solved_fields() -> Fields:
    return {
        "solved": lambda row: 0 if isinstance(row.solved, NotEstimable) else row.solved.count,
        "runs": lambda row: row.num_runs,
    }


def _steps_fields() -> Fields:
    names = ("median", "lower_quartile", "upper_quartile")
    return _numbers(
        "steps_to_solve", names, lambda row: row.steps_to_solve, lambda _: wording.NOT_REACHED
    )


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
    names = ("median", "lower_quartile", "upper_quartile", "lowest", "highest")
    return _numbers(
        "test_metric", names, lambda row: row.metric, lambda row: wording.worst(row.num_diverged)
    )


def _numbers(
    key: str,
    names: Sequence[str],
    read: Callable[[CellSummary], TimesToReach | Spread | NotEstimable],
    infinite: Callable[[CellSummary], str],
) -> Fields:
    """A column for each estimate of `names`, and one that says which of them are no numbers."""

    def estimate(row: CellSummary, name: str) -> Estimate:
        found = read(row)
        return found if isinstance(found, NotEstimable) else getattr(found, name)

    def number(name: str) -> Callable[[CellSummary], Value]:
        return lambda row: wording.in_full(estimate(row, name))

    def note(row: CellSummary) -> str:
        return wording.note({name: estimate(row, name) for name in names}, infinite(row))

    return {f"{key}_{name}": number(name) for name in names} | {f"{key}_note": note}
