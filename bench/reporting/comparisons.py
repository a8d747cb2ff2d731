"""Each mitigation against none, on the seeds that both ran: pooled over blocks, and cell by cell.

Three outcomes are compared: whether a run diverged, whether it solved, and whose final metric on
test data is better. Per outcome the mitigations form one family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.reporting.cells import Cell
from bench.reporting.pairs import Pair, PooledPairs, beside_control, diverged, seeds_of, solved
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar, mcnemar
from bench.stats.multiplicity import Family, false_discovery_family, holm_family
from bench.stats.preference import Preference, preference
from bench.stats.sign_flip import SignFlip, sign_flip


@dataclass(frozen=True)
class Pooled:
    """One mitigation against none over all blocks that have both."""

    mitigation: str
    num_blocks: int
    diverged: SignFlip | NotEstimable  # rate with it less that without
    solved: SignFlip | NotEstimable
    metric: Preference | NotEstimable


@dataclass(frozen=True)
class InCell:
    """One cell against the cell of its block without a mitigation."""

    cell: Cell
    diverged: McNemar | NotEstimable
    solved: McNemar | NotEstimable
    metric: Preference | NotEstimable


@dataclass(frozen=True)
class Compared:
    """The comparisons of a report, and their p as they count in their families, in order."""

    pooled: Sequence[Pooled]
    in_cells: Sequence[InCell]
    pooled_families: Mapping[str, Family]  # diverged, solved, metric: by Holm
    cell_families: Mapping[str, Family]  # the same: by Benjamini and Hochberg


OUTCOMES = ("diverged", "solved", "metric")
Found: TypeAlias = SignFlip | McNemar | Preference


def effect_of(found: Found) -> float:
    """A difference of rates, or the probability of improvement; `low` and `high` are its ends."""
    if isinstance(found, Preference):
        return found.probability
    return found.effect if isinstance(found, SignFlip) else found.difference


def compare(cells: Sequence[Cell]) -> Compared:
    """Nothing where no cell is without a mitigation, or none has one."""
    beside = beside_control(cells)
    pooled = [_pooled(name, pairs) for name, pairs in beside.items()]
    pairs_of = {cell.cell_id: (cell, none) for pairs in beside.values() for cell, none in pairs}
    in_cells = [_in_cell(*pairs_of[cell.cell_id]) for cell in cells if cell.cell_id in pairs_of]
    return Compared(
        pooled,
        in_cells,
        {
            outcome: holm_family(
                f"{outcome}, each against none", [_p(each, outcome) for each in pooled]
            )
            for outcome in OUTCOMES
        },
        {
            outcome: false_discovery_family(
                f"{outcome}, cell by cell", [_p(each, outcome) for each in in_cells]
            )
            for outcome in OUTCOMES
        },
    )


def _p(compared: Pooled | InCell, outcome: str) -> float | NotEstimable:
    found = getattr(compared, outcome)
    return found if isinstance(found, NotEstimable) else float(found.p)


def _pooled(name: str, cells: Sequence[tuple[Cell, Cell]]) -> Pooled:
    pairs = PooledPairs(cells)
    return Pooled(
        name,
        len(cells),
        sign_flip(pairs.difference(diverged), pairs.present),
        sign_flip(pairs.difference(solved), pairs.present),
        preference(pairs.scores(), pairs.present),
    )


def _in_cell(cell: Cell, control: Cell) -> InCell:
    pair = Pair(cell, control, seeds_of([cell, control]))
    return InCell(
        cell,
        mcnemar(*pair.events(diverged), pair.present),
        mcnemar(*pair.events(solved), pair.present),
        preference(pair.scores(), pair.present),
    )
