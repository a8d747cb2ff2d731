"""The table of steps to solve, each mitigation against none over all blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.tables import Column, Table, Value, build, whole_number, words
from bench.reporting.times import ComparedTimes, compared_times
from bench.stats.estimates import Estimate, NotEstimable


def times_comparison_table(cells: Sequence[Cell]) -> Table | None:
    """A line for each mitigation; None where there is nothing to compare."""
    rows = compared_times(cells)
    if not rows:
        return None
    caption = (
        "Each mitigation against none, over all blocks that have both: restricted mean of the "
        "updates to solve in per cent of the budget, which a run that did not solve counts as "
        "(negative: sooner) [95 % interval, by seeds]. p: sign flips of whole seeds over all their "
        "blocks; in brackets adjusted by Holm for the mitigations of this table. Seeds: those with "
        "a result of both in every block."
    )
    columns: list[Column[ComparedTimes]] = [
        words("Mitigation", "mitigation", lambda row: row.mitigation),
        whole_number("Blocks", "blocks", lambda row: row.num_blocks),
        Column(
            "Seeds",
            lambda row: str(_num_seeds(row)),
            {"seeds": _num_seeds, "dropped_seeds": lambda row: row.num_dropped},
        ),
        _percent("With it", "mean", lambda row: row.mean),
        _percent("None", "mean_of_none", lambda row: row.mean_of_none),
        Column("Difference", _difference, _DIFFERENCE_FIELDS),
        Column("p", _p, {"p": lambda row: wording.in_full(row.p), "p_adjusted": _p_adjusted}),
    ]
    return build("times_comparison", "Time to solve against none", caption, columns, rows)


def _num_seeds(row: ComparedTimes) -> int:
    return 0 if isinstance(row.difference, NotEstimable) else row.difference.num_pairs


def _percent(
    heading: str, key: str, read: Callable[[ComparedTimes], Estimate]
) -> Column[ComparedTimes]:
    def text(row: ComparedTimes) -> str:
        value = read(row)
        return wording.NOTHING if isinstance(value, NotEstimable) else f"{100 * value:.0f}"

    return Column(heading, text, {f"{key}_share_of_budget": lambda row: wording.in_full(read(row))})


def _difference(row: ComparedTimes) -> str:
    found = row.difference
    if isinstance(found, NotEstimable):
        return wording.NOT_ESTIMABLE
    if isinstance(found.interval, NotEstimable):
        return f"{wording.points(found.mean)} (no interval)"
    low, high = (wording.points(end) for end in found.interval)
    return f"{wording.points(found.mean)} [{low}, {high}]"


def _difference_end(index: int) -> Callable[[ComparedTimes], Value]:
    def read(row: ComparedTimes) -> Value:
        found = row.difference
        if isinstance(found, NotEstimable) or isinstance(found.interval, NotEstimable):
            return None
        return found.interval[index]

    return read


def _difference_note(row: ComparedTimes) -> str:
    found = row.difference
    if isinstance(found, NotEstimable):
        return found.reason
    return found.interval.reason if isinstance(found.interval, NotEstimable) else wording.NONE


_DIFFERENCE_FIELDS: Mapping[str, Callable[[ComparedTimes], Value]] = {
    "difference": lambda row: (
        None if isinstance(row.difference, NotEstimable) else row.difference.mean
    ),
    "difference_low": _difference_end(0),
    "difference_high": _difference_end(1),
    "difference_note": _difference_note,
}


def _p(row: ComparedTimes) -> str:
    if isinstance(row.p, NotEstimable) or isinstance(row.p_adjusted, NotEstimable):
        return wording.NOTHING
    return f"{wording.probability(row.p)} ({wording.probability(row.p_adjusted)})"


def _p_adjusted(row: ComparedTimes) -> Value:
    return wording.in_full(row.p_adjusted)
