"""Whether a mitigation is as good as none: `pooled.l2.solved.equivalence` is "equivalent",
"different" or "undecided", within a margin that is stated before the runs."""

from __future__ import annotations

from collections.abc import Iterator

from bench.reporting import wording
from bench.reporting.equivalence_table import (
    MARGIN,
    EquivalenceToNone,
    equivalences_to_none,
    verdict_in_words,
)
from bench.reporting.pairs import EVENTS, beside_control
from bench.reporting.paper import numbers
from bench.reporting.paper.families.pooled import runs_of_pairs
from bench.reporting.paper.macro import Macro, distinct_ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import slug
from bench.stats.equivalence import Verdict
from bench.stats.estimates import NotEstimable


def macros(material: Material) -> Iterator[Macro]:
    found = equivalences_to_none(material.found.cells)
    if not found:
        return
    points = numbers.percent(MARGIN)
    yield Macro("equivalence.margin", points, "margin of equivalence, in percentage points", ())
    runs = {
        name: runs_of_pairs(pairs) for name, pairs in beside_control(material.found.cells).items()
    }
    for event in EVENTS:
        for each in found:
            yield from _method(event, each, runs[each.mitigation])
        for verdict in Verdict:
            names = [each.mitigation for each in found if each.verdicts[event] is verdict]
            behind = distinct_ids([run_id for ids in runs.values() for run_id in ids])
            meaning = f"{verdict.value}: rate of runs that {event}, against none, over blocks"
            name = f"equivalence.{event}.{verdict.value}"
            yield Macro(
                name, numbers.whole(len(names)), f"mitigations, how many: {meaning}", behind
            )
            listed = numbers.listed(names)
            yield Macro(f"{name}.names", listed, f"mitigations, which: {meaning}", behind)


def _method(event: str, found: EquivalenceToNone, behind: tuple[str, ...]) -> Iterator[Macro]:
    name = f"pooled.{slug(found.mitigation)}.{event}.equivalence"
    what = f"rate of runs that {event}: {found.mitigation}, over blocks"
    meaning = f"within {numbers.percent(MARGIN)} points of none, by tests adjusted by Holm"
    yield Macro(name, verdict_in_words(found, event), f"{meaning}: {what}", behind)
    known = found.found[event]
    text = (
        numbers.NOT_ESTIMABLE
        if isinstance(known, NotEstimable)
        else numbers.interval(wording.points(known.low), wording.points(known.high))
    )
    meaning = "90 % interval of the difference to none, in percentage points"
    yield Macro(f"{name}.interval", text, f"{meaning}: {what}", behind)
