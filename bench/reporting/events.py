"""What went wrong inside the runs of a cell, kind by kind, whether or not it ended them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.records import Event, EventKind
from bench.reporting.cells import Cell


@dataclass(frozen=True)
class EventRow:
    """One kind of event in one cell. Medians are over the runs that had it."""

    cell: Cell
    kind: EventKind
    num_runs: int  # with at least one such event
    num_first: int  # whose first event it was
    median_first_step: int | None  # over those
    commonest_tensor: str  # in which it came first
    median_updates: int  # that had it


def event_rows(cell: Cell) -> list[EventRow]:
    """In the order of EventKind; none for a kind that no run had."""
    rows = (_event_row(cell, kind) for kind in EventKind)
    return [row for row in rows if row is not None]


def _event_row(cell: Cell, kind: EventKind) -> EventRow | None:
    firsts = [
        record.first_event
        for record in cell.results
        if record.first_event is not None and record.first_event.kind is kind
    ]
    updates = [
        record.event_counts[kind] for record in cell.results if record.event_counts.get(kind)
    ]
    if not firsts and not updates:
        return None
    steps = [event.step for event in firsts]
    return EventRow(
        cell=cell,
        kind=kind,
        num_runs=len(updates),
        num_first=len(firsts),
        median_first_step=statistics.median_low(steps) if steps else None,
        commonest_tensor=_commonest_tensor(firsts),
        median_updates=statistics.median_low(updates) if updates else 0,
    )


def _commonest_tensor(firsts: Sequence[Event]) -> str:
    counts = Counter(event.tensor for event in firsts)
    return min(counts, key=lambda tensor: (-counts[tensor], tensor)) if counts else ""
