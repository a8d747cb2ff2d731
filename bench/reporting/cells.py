"""Cells: the runs that differ in their seed alone, with a label that no other cell has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.records import RunRecord, RunSpec
from bench.reporting.collection import Collected, NotCounted
from bench.reporting.labels import Labels, sort_key


@dataclass(frozen=True)
class Cell:
    """`panel` names the task, and whatever else keeps two cells of one row and column apart."""

    cell_id: str
    spec: RunSpec  # with seed 0
    task: str
    architecture: str
    mitigation: str
    optimizer: str
    conditions: str
    panel: str
    results: Sequence[RunRecord]  # by seed
    not_counted: Sequence[NotCounted]

    @property
    def why_not_counted(self) -> dict[str, int]:
        """reason -> runs"""
        return dict(Counter(run.reason for run in self.not_counted))


def group(
    collected: Mapping[str, Collected], chosen: Collection[tuple[str, str, str]] = ()
) -> list[Cell]:
    """Cell id -> its runs, to the cells in the report's order: task, architecture, mitigation.

    `chosen`: the settings (kind, member, name) that trials chose for each cell by itself; labels
    leave them out, unless two cells would then have the same.

    A cell of which only stale runs are left stays, with no results, unless its members have run
    anew: then its runs appear among the runs not counted alone.
    """
    specs = {cell_id: runs.spec for cell_id, runs in collected.items()}
    kept = _without_replaced(specs, collected)
    for hidden in (chosen, ()):
        labels = Labels(kept.values(), hidden)
        cells = [_cell(cell_id, spec, labels, collected[cell_id]) for cell_id, spec in kept.items()]
        if len(set(map(_label, cells))) == len(cells):
            break
    return sorted(_with_panels(cells), key=_order)


def distinct(labels: Iterable[str]) -> list[str]:
    """Each label once, in the order in which the report shows them."""
    return sorted(set(labels), key=sort_key)


def _names(spec: RunSpec) -> tuple[str, ...]:
    return tuple(f"{kind} {member.name}" for kind, member in spec.members)


def _without_replaced(
    specs: Mapping[str, RunSpec], collected: Mapping[str, Collected]
) -> dict[str, RunSpec]:
    current = {
        cell_id
        for cell_id, runs in collected.items()
        if runs.results or any(run.reason != "stale" for run in runs.not_counted)
    }
    run_anew = {_names(specs[cell_id]) for cell_id in current}
    return {
        cell_id: spec
        for cell_id, spec in specs.items()
        if cell_id in current or _names(spec) not in run_anew
    }


def _cell(cell_id: str, spec: RunSpec, labels: Labels, runs: Collected) -> Cell:
    task = labels.member("task", spec.task)
    return Cell(
        cell_id=cell_id,
        spec=spec,
        task=task,
        architecture=labels.member("architecture", spec.architecture),
        mitigation=labels.mitigation(spec),
        optimizer=labels.member("optimizer", spec.optimizer),
        conditions=labels.conditions(spec),
        panel=task,
        results=sorted(runs.results, key=lambda record: record.spec.seed),
        not_counted=sorted(runs.not_counted, key=lambda run: (run.record.spec.seed, run.run_id)),
    )


def _with_panels(cells: list[Cell]) -> list[Cell]:
    """Optimiser and conditions enter the names of a task's panels where they must."""
    places = Counter((cell.task, cell.architecture, cell.mitigation) for cell in cells)
    crowded = {task for (task, _, _), count in places.items() if count > 1}
    optimizers = len({cell.optimizer for cell in cells})
    return [
        replace(cell, panel=_panel(cell, with_optimizer=optimizers > 1))
        if cell.task in crowded
        else cell
        for cell in cells
    ]


def _label(cell: Cell) -> tuple[str, ...]:
    return (cell.task, cell.architecture, cell.mitigation, cell.optimizer, cell.conditions)


def _panel(cell: Cell, *, with_optimizer: bool) -> str:
    parts = [cell.task, cell.optimizer if with_optimizer else "", cell.conditions]
    return ", ".join(part for part in parts if part)


def _order(cell: Cell) -> tuple[object, ...]:
    labels = (cell.task, cell.panel, cell.architecture, cell.mitigation, cell.optimizer)
    return (*map(sort_key, labels), sort_key(cell.conditions))
