"""The table of steps to solve, a line for each cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.label_columns import label_columns
from bench.reporting.tables import Column, Table, Value, build, whole_number
from bench.reporting.times import CellTimes, Reached, times_of
from bench.stats.estimates import NotEstimable
from bench.stats.incidence import Cause


def times_table(cells: Sequence[Cell]) -> Table:
    rows = [times_of(cell) for cell in cells]
    froze = any(_count(row, Cause.FROZEN) for row in rows)
    caption = (
        "Time to solve, in updates. What happened first to a run, by the end of its budget: it "
        f"solved, or diverged{' or froze' if froze else ''} before it had, which competes with "
        "solving: k/n [95 % interval of the cumulative incidence, in per cent]. Restricted mean: "
        "of the updates to solve, where a run that did not solve counts as the budget [95 %]. Per "
        "success: expected running time, all updates of all runs (to solving, else to the end) for "
        "each one that solved, which is what starting again with new seeds costs [95 %]; without a "
        "success only its lower end is known."
    )
    columns: list[Column[CellTimes]] = [
        *label_columns(cells, lambda row: row.cell),
        whole_number("Budget", "budget_steps", lambda row: row.cell.spec.steps),
        Column("", None, {"runs": lambda row: len(row.cell.results)}),
        _reached("Solved first", Cause.SOLVED, shown=True),
        _reached("Diverged first", Cause.DIVERGED, shown=True),
        _reached("Frozen first", Cause.FROZEN, shown=froze),
        Column("Restricted mean", _restricted_mean, _RESTRICTED_MEAN_FIELDS),
        Column("Per success", _running_time, _RUNNING_TIME_FIELDS),
    ]
    return build("times", "Time to solve", caption, columns, rows)


def _count(row: CellTimes, cause: Cause) -> int:
    reached = row.first[cause]
    return 0 if isinstance(reached, NotEstimable) else reached.count


def _reached(heading: str, cause: Cause, *, shown: bool) -> Column[CellTimes]:
    def text(row: CellTimes) -> str:
        reached = row.first[cause]
        if isinstance(reached, NotEstimable):
            return wording.NOTHING
        low, high = (f"{100 * end:.0f}" for end in (reached.low, reached.high))
        return f"{reached.count}/{len(row.cell.results)} [{low}, {high}]"

    def field(read: Callable[[Reached], float]) -> Callable[[CellTimes], Value]:
        def of_row(row: CellTimes) -> Value:
            reached = row.first[cause]
            return None if isinstance(reached, NotEstimable) else read(reached)

        return of_row

    key = f"{cause.value}_first"
    fields: Mapping[str, Callable[[CellTimes], Value]] = {
        key: lambda row: _count(row, cause),
        f"{key}_share": field(lambda reached: reached.share),
        f"{key}_share_low": field(lambda reached: reached.low),
        f"{key}_share_high": field(lambda reached: reached.high),
    }
    return Column(heading, text if shown else None, fields)


def _restricted_mean(row: CellTimes) -> str:
    found = row.restricted_mean
    if isinstance(found, NotEstimable):
        return wording.NOTHING if not row.cell.results else wording.NOT_ESTIMABLE
    return f"{found.mean:.0f} {_interval(found.interval)}"


def _running_time(row: CellTimes) -> str:
    """ "985 [450, 2600]", or "none solved, > 4100"."""
    found = row.running_time
    if isinstance(found, NotEstimable):
        return wording.NOTHING
    if math.isinf(found.steps):
        return f"none solved, > {found.interval[0]:.0f}"
    return f"{found.steps:.0f} {_interval(found.interval)}"


def _interval(ends: tuple[float, float]) -> str:
    low, high = (f"{end:.0f}" if math.isfinite(end) else "no limit" for end in ends)
    return f"[{low}, {high}]"


def _note(row: CellTimes) -> str:
    if isinstance(row.restricted_mean, NotEstimable):
        return row.restricted_mean.reason
    return wording.NONE


def _infinite(row: CellTimes) -> str:
    """Which ends of the running time are no numbers, and why."""
    found = row.running_time
    if isinstance(found, NotEstimable):
        return found.reason
    estimates = {"steps_per_success": found.steps, "high": found.interval[1]}
    return wording.note(estimates, "infinite" if found.num_solved else "no run solved")


def _of_mean(index: int | None) -> Callable[[CellTimes], Value]:
    """Its estimate, or an end of its interval."""

    def read(row: CellTimes) -> Value:
        found = row.restricted_mean
        if isinstance(found, NotEstimable):
            return None
        return found.mean if index is None else found.interval[index]

    return read


def _of_running_time(index: int | None) -> Callable[[CellTimes], Value]:
    def read(row: CellTimes) -> Value:
        found = row.running_time
        if isinstance(found, NotEstimable):
            return None
        return wording.in_full(found.steps if index is None else found.interval[index])

    return read


_RESTRICTED_MEAN_FIELDS: Mapping[str, Callable[[CellTimes], Value]] = {
    "restricted_mean": _of_mean(None),
    "restricted_mean_low": _of_mean(0),
    "restricted_mean_high": _of_mean(1),
    "restricted_mean_note": _note,
}
_RUNNING_TIME_FIELDS: Mapping[str, Callable[[CellTimes], Value]] = {
    "steps_per_success": _of_running_time(None),
    "steps_per_success_low": _of_running_time(0),
    "steps_per_success_high": _of_running_time(1),
    "steps_per_success_note": _infinite,
}
