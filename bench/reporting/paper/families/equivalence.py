"""Whether a mitigation is as good as none: `pooled.l2.solved.equivalence` is "equivalent",
"different" or "undecided", within a margin that is stated before the runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.reporting.equivalence_table import MARGIN, equivalence_table
from bench.reporting.pairs import EVENTS, beside_control
from bench.reporting.paper import numbers
from bench.reporting.paper.families.pooled import runs_of_pairs
from bench.reporting.paper.macro import Macro, distinct_ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import slug
from bench.reporting.tables import Value
from bench.stats.equivalence import Verdict


def macros(material: Material) -> Iterator[Macro]:
    table = equivalence_table(material.found.cells)
    if table is None:
        return
    points = numbers.percent(MARGIN)
    yield Macro("equivalence.margin", points, "margin of equivalence, in percentage points", ())
    runs = {
        name: runs_of_pairs(pairs) for name, pairs in beside_control(material.found.cells).items()
    }
    for event in EVENTS:
        verdicts = {str(row["mitigation"]): row[f"{event}_verdict"] for row in table.records}
        for row in table.records:
            yield from _method(event, row, runs[str(row["mitigation"])])
        for verdict in Verdict:
            names = [name for name, found in verdicts.items() if found == verdict.value]
            behind = distinct_ids([each for ids in runs.values() for each in ids])
            meaning = f"{verdict.value}: rate of runs that {event}, against none, over blocks"
            name = f"equivalence.{event}.{verdict.value}"
            yield Macro(
                name, numbers.whole(len(names)), f"mitigations, how many: {meaning}", behind
            )
            listed = numbers.listed(names)
            yield Macro(f"{name}.names", listed, f"mitigations, which: {meaning}", behind)


def _method(event: str, row: Mapping[str, Value], behind: tuple[str, ...]) -> Iterator[Macro]:
    mitigation = str(row["mitigation"])
    name = f"pooled.{slug(mitigation)}.{event}.equivalence"
    what = f"rate of runs that {event}: {mitigation}, over blocks"
    meaning = f"within {numbers.percent(MARGIN)} points of none, by tests adjusted by Holm"
    yield Macro(name, str(row[f"{event}_verdict"]), f"{meaning}: {what}", behind)
    ends = [row[f"{event}_{end}"] for end in ("low", "high")]
    known = [numbers.points(end) for end in ends if isinstance(end, float)]
    text = numbers.interval(*known) if len(known) == 2 else numbers.NOT_ESTIMABLE
    meaning = "90 % interval of the difference to none, in percentage points"
    yield Macro(f"{name}.interval", text, f"{meaning}: {what}", behind)
