"""Does a mitigation leave the outcomes as they are? Each against none, over all blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.pairs import EVENTS, PooledPairs, beside_control
from bench.reporting.tables import Column, Table, Value, build, whole_number, words
from bench.stats.equivalence import Equivalence, Verdict, pooled_risks_within
from bench.stats.equivalence_families import fewest_seeds, verdicts_in_family
from bench.stats.estimates import NotEstimable

MARGIN = 0.10
"""Of the suite, set before any run was made: one run in ten. Whoever trains a handful of networks
would not notice less, and no published claim of a mitigation rests on less."""


@dataclass(frozen=True)
class EquivalenceToNone:
    """Of one mitigation, over all blocks that have it and none."""

    mitigation: str
    num_blocks: int
    num_seeds: int
    found: Mapping[str, Equivalence | NotEstimable]  # for each of EVENTS
    verdicts: Mapping[str, Verdict | NotEstimable]  # in the family of this table


def equivalence_table(cells: Sequence[Cell]) -> Table | None:
    """None where there is nothing to compare."""
    lines = equivalences_to_none(cells)
    if not lines:
        return None
    points = round(100 * MARGIN)
    caption = (
        "Each mitigation against none, over all blocks that have both: difference of the rates of "
        "solved and of diverged runs in percentage points [90 % interval, by seeds], and whether "
        f"it is clearly within {points} points either way (equivalent), clearly outside "
        "(different), or neither (undecided: the runs do not say). That no difference was found "
        "is no verdict. Two one-sided tests, adjusted by Holm for the mitigations of this table, "
        "per outcome, so a verdict asks for more than its interval, which stands alone: with "
        f"{len(lines)} of them, none can be the first called equivalent with fewer than "
        f"{fewest_seeds(MARGIN, len(lines))} seeds."
    )
    columns: list[Column[EquivalenceToNone]] = [
        words("Mitigation", "mitigation", lambda row: row.mitigation),
        whole_number("Blocks", "blocks", lambda row: row.num_blocks),
        whole_number("Seeds", "seeds", lambda row: row.num_seeds),
        *(column for event in EVENTS for column in _columns(event)),
        Column("", None, {"margin": lambda _: MARGIN}),
    ]
    return build("equivalence", "Equivalence to none", caption, columns, lines)


def equivalences_to_none(cells: Sequence[Cell]) -> list[EquivalenceToNone]:
    """In the report's order of the mitigations."""
    pairs = {name: PooledPairs(each) for name, each in beside_control(cells).items()}
    found = {
        event: [
            pooled_risks_within(MARGIN, each.difference(happened), each.present)
            for each in pairs.values()
        ]
        for event, happened in EVENTS.items()
    }
    verdicts = {event: verdicts_in_family(each) for event, each in found.items()}
    return [
        EquivalenceToNone(
            name,
            int(each.present.any(axis=1).sum()),
            int(each.present.any(axis=0).sum()),
            {event: found[event][index] for event in EVENTS},
            {event: verdicts[event][index] for event in EVENTS},
        )
        for index, (name, each) in enumerate(pairs.items())
    ]


def verdict_in_words(row: EquivalenceToNone, event: str) -> str:
    found = row.verdicts[event]
    return str(found) if isinstance(found, NotEstimable) else found.value


def _columns(event: str) -> list[Column[EquivalenceToNone]]:
    def difference(row: EquivalenceToNone) -> str:
        found = row.found[event]
        if isinstance(found, NotEstimable):
            return wording.NOT_ESTIMABLE
        low, high = wording.points(found.low), wording.points(found.high)
        return f"{wording.points(found.estimate)} [{low}, {high}]"

    def field(name: str) -> Callable[[EquivalenceToNone], Value]:
        def read(row: EquivalenceToNone) -> Value:
            found = row.found[event]
            return None if isinstance(found, NotEstimable) else float(getattr(found, name))

        return read

    def verdict(row: EquivalenceToNone) -> str:
        return verdict_in_words(row, event)

    names = ("estimate", "low", "high", "p_equivalent", "p_different")
    return [
        Column(event.capitalize(), difference, {f"{event}_{name}": field(name) for name in names}),
        Column("Verdict", verdict, {f"{event}_verdict": verdict}, is_text=True),
    ]
