"""Which of the stored runs count, and which are shown apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bench.records import RunRecord, RunSpec


class StoredRun(Protocol):
    """What the store yields: the ids are those of the record's specification.

    `record.curves` and `record.flow` may be read when asked for. `status` is "current", "stale" (a
    result of other code) or "failed" (no result).
    """

    @property
    def run_id(self) -> str: ...
    @property
    def cell_id(self) -> str: ...
    @property
    def record(self) -> RunRecord: ...
    @property
    def status(self) -> str: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...
    @property
    def semantics_version(self) -> int: ...


@dataclass(frozen=True)
class NotCounted:
    """A run that no number counts, and why: stale, failed, timeout or interrupted."""

    record: RunRecord
    run_id: str
    reason: str


@dataclass
class Collected:
    """The runs of one cell."""

    results: list[RunRecord] = field(default_factory=list)
    not_counted: list[NotCounted] = field(default_factory=list)

    @property
    def spec(self) -> RunSpec:
        """Of any of its runs, with seed 0."""
        record = self.results[0] if self.results else self.not_counted[0].record
        return replace(record.spec, seed=0)


def collect(runs: Iterable[StoredRun]) -> dict[str, Collected]:
    """Cell id -> its runs, in any order. Raises ValueError where a run is there twice."""
    cells: dict[str, Collected] = {}
    seen: set[str] = set()
    for run in runs:
        if run.run_id in seen:
            raise ValueError(f"run {run.run_id} is there twice and would count twice")
        seen.add(run.run_id)
        cell = cells.setdefault(run.cell_id, Collected())
        if run.status == "current":
            cell.results.append(run.record)
        else:
            cell.not_counted.append(NotCounted(run.record, run.run_id, _reason(run)))
    return cells


def _reason(run: StoredRun) -> str:
    return "stale" if run.status == "stale" else run.record.outcome.value
