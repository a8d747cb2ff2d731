"""One line for each stored run, whatever it was for and however it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.planning.seeds import Purpose, purpose_of
from bench.records import Outcome, RunSpec
from bench.reporting.collection import StoredRun


@dataclass(frozen=True)
class RunLine:
    run_id: str
    spec: RunSpec
    outcome: Outcome
    solved_step: int | None
    status: str  # current, stale or failed
    steps_done: int
    cpu_seconds: float
    provenance: Mapping[str, Any]

    @property
    def purpose(self) -> Purpose:
        return purpose_of(self.spec.seed)

    @property
    def is_current(self) -> bool:
        return self.status == "current"


class Ledger:
    """Takes notice of all runs that an analysis reads."""

    def __init__(self) -> None:
        self._lines: list[RunLine] = []

    def watch(self, runs: Iterable[StoredRun]) -> Iterator[StoredRun]:
        for run in runs:
            record = run.record
            self._lines.append(
                RunLine(
                    run_id=run.run_id,
                    spec=record.spec,
                    outcome=record.outcome,
                    solved_step=record.solved_step,
                    status=str(run.status),
                    steps_done=record.steps_done,
                    cpu_seconds=record.cpu_seconds,
                    provenance=run.provenance,
                )
            )
            yield run

    @property
    def lines(self) -> list[RunLine]:
        """In the order of the tables: by member names and seed."""
        return sorted(self._lines, key=_order)


def _order(line: RunLine) -> tuple[object, ...]:
    return (*line.spec.names, line.spec.seed, line.run_id)
