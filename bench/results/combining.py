"""Several stores read as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.results.store import Status, Store, StoredRun

_BETTER = (Status.CURRENT, Status.STALE, Status.FAILED)


@dataclass(frozen=True)
class Alarm:
    """Two results of one run, by the same engine and member files, that are not the same.

    Either the run is not reproducible on the machines that made them, or a store was altered.
    """

    run_id: str
    folders: tuple[Path, Path]
    digests: tuple[str, str]

    def __str__(self) -> str:
        return (
            f"run {self.run_id}: {self.folders[0]} and {self.folders[1]} hold different results "
            f"({self.digests[0][:12]} and {self.digests[1][:12]}); the first is shown"
        )


class Combined:
    """The runs of several stores, each run once.

    Of several rows of a run, a current one is taken before a stale one, a stale one before a
    failure, and among equals that of the first store.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = tuple(dict.fromkeys(stores))
        chosen: dict[str, _Candidate] = {}
        alarms = []
        for store in self._stores if len(self._stores) > 1 else ():
            for run in store.rows():
                candidate = _Candidate(store, run.status, _origin(run), run.record_digest)
                known = chosen.setdefault(run.run_id, candidate)
                if known.origin == candidate.origin and known.digest != candidate.digest:
                    folders = (known.store.folder, store.folder)
                    alarms.append(Alarm(run.run_id, folders, (known.digest, candidate.digest)))
                if _BETTER.index(candidate.status) < _BETTER.index(known.status):
                    chosen[run.run_id] = candidate
        self.alarms = tuple(alarms)
        self._place = {run_id: candidate.store for run_id, candidate in chosen.items()}

    def rows(self) -> Iterator[StoredRun]:
        """Every run once, store by store, by run id within a store."""
        for store in self._stores:
            for run in store.rows():
                if self._place.get(run.run_id, store) is store:
                    yield run


@dataclass(frozen=True)
class _Candidate:
    store: Store
    status: Status
    origin: tuple[int, str] | str  # what made it; equal origins must give equal digests
    digest: str


def _origin(run: StoredRun) -> tuple[int, str] | str:
    """A failure repeats nothing, so it is compared with nothing."""
    if not run.record.outcome.is_result:
        return f"failure with {run.record_digest}"
    return run.semantics_version, run.members_digest
