"""The tables of the comparisons with none: pooled over blocks, and cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.comparisons import OUTCOMES, Compared, Found, InCell, Pooled, effect_of
from bench.reporting.label_columns import label_columns
from bench.reporting.tables import Column, Table, Value, build, whole_number, words
from bench.stats.estimates import NotEstimable
from bench.stats.multiplicity import Family
from bench.stats.preference import Preference

HEADINGS = {"diverged": "Diverged", "solved": "Solved", "metric": "Better"}


@dataclass(frozen=True)
class _Line:
    """A comparison, with the p of its outcomes adjusted in their families."""

    found: Pooled | InCell
    adjusted: dict[str, float | NotEstimable]


def comparison_tables(compared: Compared) -> list[Table]:
    """Both tables; none where there is nothing to compare."""
    return [pooled_table(compared), cells_table(compared)] if compared.pooled else []


def pooled_table(compared: Compared) -> Table:
    caption = (
        "Each mitigation against none, over all blocks (task, architecture, optimiser) that have "
        "both. Diverged and Solved: difference of the rates in percentage points [95 % interval]; "
        "Better: probability that the final metric on test data is better, a tie counts half, "
        "diverged loses. p: sign flips of whole seeds over all their blocks; in brackets adjusted "
        "by Holm for the mitigations of this table, per outcome."
    )
    lines = _lines(compared.pooled, compared.pooled_families)
    columns: list[Column[_Line]] = [
        words("Mitigation", "mitigation", _mitigation),
        whole_number("Blocks", "blocks", _blocks),
        whole_number("Pairs", "pairs", _pairs),
        *_outcome_columns(),
    ]
    return build("comparisons", "Comparisons with none", caption, columns, lines)


def cells_table(compared: Compared) -> Table:
    caption = (
        "The same cell by cell, for exploration: exact McNemar tests (Better: the sign test), in "
        "brackets adjusted by Benjamini and Hochberg over all cells, per outcome."
    )
    lines = _lines(compared.in_cells, compared.cell_families)
    columns: list[Column[_Line]] = [
        *label_columns([each.cell for each in compared.in_cells], _cell),
        *_outcome_columns(),
    ]
    return build("comparisons_by_cell", "Comparisons cell by cell", caption, columns, lines)


def _lines(
    found: Sequence[Pooled] | Sequence[InCell], families: Mapping[str, Family]
) -> list[_Line]:
    rows: Sequence[Pooled | InCell] = list(found)
    return [
        _Line(each, {outcome: families[outcome].adjusted[index] for outcome in OUTCOMES})
        for index, each in enumerate(rows)
    ]


def _cell(row: _Line) -> Cell:
    assert isinstance(row.found, InCell)
    return row.found.cell


def _mitigation(row: _Line) -> str:
    assert isinstance(row.found, Pooled)
    return row.found.mitigation


def _blocks(row: _Line) -> int:
    assert isinstance(row.found, Pooled)
    return row.found.num_blocks


def _pairs(row: _Line) -> int:
    diverged = row.found.diverged
    return 0 if isinstance(diverged, NotEstimable) else diverged.num_pairs


def _outcome_columns() -> list[Column[_Line]]:
    return [column for outcome in OUTCOMES for column in _columns(outcome)]


def _columns(outcome: str) -> list[Column[_Line]]:
    def effect(row: _Line) -> str:
        found = getattr(row.found, outcome)
        return wording.NOT_ESTIMABLE if isinstance(found, NotEstimable) else _effect(found)

    def p(row: _Line) -> str:
        found, adjusted = getattr(row.found, outcome), row.adjusted[outcome]
        if isinstance(found, NotEstimable) or isinstance(adjusted, NotEstimable):
            return wording.NOTHING
        return f"{wording.probability(found.p)} ({wording.probability(adjusted)})"

    def field(name: str) -> Callable[[_Line], Value]:
        def read(row: _Line) -> Value:
            found = getattr(row.found, outcome)
            if isinstance(found, NotEstimable):
                return None
            return effect_of(found) if name == "effect" else float(getattr(found, name))

        return read

    def adjusted(row: _Line) -> Value:
        value = row.adjusted[outcome]
        return None if isinstance(value, NotEstimable) else float(value)

    def dropped(row: _Line) -> Value:
        found = getattr(row.found, outcome)
        return None if isinstance(found, NotEstimable) else int(found.num_dropped)

    fields = {f"{outcome}_{name}": field(name) for name in ("effect", "low", "high")}
    return [
        Column(HEADINGS[outcome], effect, {**fields, f"{outcome}_dropped_pairs": dropped}),
        Column("p", p, {f"{outcome}_p": field("p"), f"{outcome}_p_adjusted": adjusted}),
    ]


def _effect(found: Found) -> str:
    """ "-25 [-40, -9]" in percentage points, or "0.75 [0.6, 0.86]" for a probability."""
    effect, low, high = (
        f"{value:.2f}" if isinstance(found, Preference) else wording.points(value)
        for value in (effect_of(found), found.low, found.high)
    )
    return f"{effect} [{low}, {high}]"
