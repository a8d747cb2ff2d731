"""Combinations x settings x seeds -> RunSpecs. All is checked by then: once, not per seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from bench.planning.resolving import Column, Resolved
from bench.planning.selection import Combination
from bench.records import BadInput, MemberSpec, RunSpec, Setting

MOST_RUNS = 1_000_000


def cells(combinations: Sequence[Combination], settings: Resolved) -> list[RunSpec]:
    """One RunSpec, of the first seed, for each cell of the grid, in the grid's order.

    Raises BadInput where the cells and seeds make more runs than one plan may hold.
    """
    found: dict[Any, RunSpec] = {}
    most = max(MOST_RUNS // len(settings.seeds), 1)
    for combination in combinations:
        for spec in _cells_of(combination, settings):
            # Settings that differ as given can be equal once cast.
            found.setdefault(_key(spec), spec)
            if len(found) > most:
                raise BadInput(
                    f"the grid: more than {MOST_RUNS:,} runs; select less, or split it into several"
                )
    return list(found.values())


def with_seeds(specs: Sequence[RunSpec], seeds: Sequence[int]) -> list[RunSpec]:
    """Every cell with every seed; the seeds of a cell stand together."""
    return [
        spec if spec.seed == seed else replace(spec, seed=seed) for spec in specs for seed in seeds
    ]


def _cells_of(combination: Combination, settings: Resolved) -> Iterator[RunSpec]:
    parts = [
        _Part(member.name, settings.members[member.kind, member.name])
        for member in combination.members
    ]
    columns = [column for part in parts for column in part.columns.values()]
    axes = {column.axis: len(column.values) for column in (*columns, *settings.run.values())}
    for indices in product(*map(range, axes.values())):
        at = dict(zip(axes, indices, strict=True))
        task, architecture, *mitigation, optimizer = (part.spec(at) for part in parts)
        chosen: dict[str, Any] = _chosen(settings.run, at)
        yield RunSpec(
            task=task,
            architecture=architecture,
            mitigation=tuple(mitigation),
            optimizer=optimizer,
            seed=settings.seeds[0],
            **chosen,
        )


class _Part:
    """A member in a combination; cells where its settings are the same share one MemberSpec."""

    def __init__(self, name: str, columns: Mapping[str, Column]) -> None:
        self.name, self.columns = name, columns
        self._axes = {column.axis for column in columns.values() if len(column.values) > 1}
        self._specs: dict[tuple[int, ...], MemberSpec] = {}

    def spec(self, at: Mapping[str, int]) -> MemberSpec:
        indices = tuple(at[axis] for axis in self._axes)
        if indices not in self._specs:
            self._specs[indices] = MemberSpec(self.name, _chosen(self.columns, at))
        return self._specs[indices]


def _chosen(columns: Mapping[str, Column], at: Mapping[str, int]) -> dict[str, Setting]:
    return {name: column.values[at[column.axis]] for name, column in columns.items()}


def _key(spec: RunSpec) -> tuple[Any, ...]:
    """What makes two cells the same, without the cost of their JSON."""
    members = ((member.name, *member.settings.items()) for _, member in spec.members)
    return (
        *members,
        spec.dtype,
        spec.evaluations,
        spec.solved_checks,
        spec.window,
        spec.stop_on_solved,
    )
