"""Sweeps: cells that are alike but for the learning rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.records import MemberSpec, RunRecord, RunSpec
from bench.reporting.cells import Cell

MIN_RATES = 3
"""Fewer are no sweep."""


@dataclass(frozen=True)
class Sweep:
    """The results of `cell`'s method at each learning rate, everything else being the same."""

    cell: Cell  # whose labels the sweep has; its own learning rate is one of many
    rates: Sequence[float]  # from the lowest
    results: Sequence[Sequence[RunRecord]]  # [rates], by seed


def sweeps(cells: Sequence[Cell], swept: Iterable[RunRecord] = ()) -> list[Sweep]:
    """In the order of `cells`; one for each method with MIN_RATES rates or more.

    `swept` are the runs of the sweep that the protocol `tuned` makes at the settings it chose.
    Where there are none of a method, its cells themselves may be a sweep (`lr=0.01,0.1,1`).
    """
    apart: dict[str, list[RunRecord]] = defaultdict(list)
    for record in swept:
        apart[_key(record.spec)].append(record)
    together: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        together[_key(cell.spec)].append(cell)
    found = []
    for key, same in together.items():
        records = apart.get(key) or [record for cell in same for record in cell.results]
        sweep = _sweep(same[0], records)
        if len(sweep.rates) >= MIN_RATES:
            found.append(sweep)
    return found


def _sweep(cell: Cell, records: Iterable[RunRecord]) -> Sweep:
    by_rate: dict[float, list[RunRecord]] = defaultdict(list)
    for record in records:
        by_rate[float(record.spec.optimizer.settings["lr"])].append(record)
    rates = sorted(by_rate)
    results = [sorted(by_rate[rate], key=lambda record: record.spec.seed) for rate in rates]
    return Sweep(cell, rates, results)


def _key(spec: RunSpec) -> str:
    """What the cells of a sweep share."""
    settings = {name: value for name, value in spec.optimizer.settings.items() if name != "lr"}
    optimizer = MemberSpec(spec.optimizer.name, settings)
    return replace(spec, optimizer=optimizer, seed=0).run_id
