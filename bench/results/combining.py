"""Several stores read as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.records import BadInput
from bench.results.checking import check
from bench.results.encoding import DAMAGE
from bench.results.opening import stores_in, unreadable
from bench.results.store import Status, Store, StoredRun
from bench.settings import nearest

_BETTER = (Status.CURRENT, Status.STALE, Status.FAILED)


@contextmanager
def opened(folders: Sequence[Path]) -> Iterator[list[Store]]:
    """The stores of `folders`, for reading, as they are now; a folder of packed stores stands for
    all of them.

    Raises BadInput where a folder holds none. Not all damage shows when a run is read: what fails
    on its numbers later is put down to the store where it turns out to be damaged.
    """
    with ExitStack() as stack:
        stores = [
            stack.enter_context(Store(place)) for folder in folders for place in stores_in(folder)
        ]
        for store in stores:
            store.freeze()
        try:
            yield stores
        except DAMAGE as error:
            for store in stores:
                for finding in check(store.folder).findings:
                    raise unreadable(store.folder, finding.problem, finding.run_id) from error
            raise


def find(prefix: str, stores: Sequence[Store]) -> StoredRun:
    """The run whose id begins with `prefix`, from where Combined takes it.

    Raises BadInput where it is none, or several.
    """
    places: dict[str, list[Store]] = {}
    for store in stores:
        for run_id in store.digests():
            places.setdefault(run_id, []).append(store)
    found = [run_id for run_id in sorted(places) if run_id.startswith(prefix.lower())]
    if not found:
        where = ", ".join(str(store.folder) for store in stores)
        raise BadInput(
            f"run {prefix}: there is none in {where}{nearest(prefix, list(places))}; "
            "see: bench report DIR"
        )
    if len(found) > 1:
        some = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise BadInput(f"run {prefix}: {len(found)} runs begin so ({some}); give more digits")
    return min((store.get(found[0]) for store in places[found[0]]), key=_rank)


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
    failure, among these one with its curves before one without, and among equals that of the first
    store.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = tuple(dict.fromkeys(stores))
        chosen: dict[str, _Candidate] = {}
        alarms = []
        for store in self._stores if len(self._stores) > 1 else ():
            for run in store.rows():
                candidate = _Candidate(store, _rank(run), _origin(run), run.record_digest)
                known = chosen.setdefault(run.run_id, candidate)
                if known.origin == candidate.origin and known.digest != candidate.digest:
                    folders = (known.store.folder, store.folder)
                    alarms.append(Alarm(run.run_id, folders, (known.digest, candidate.digest)))
                if candidate.rank < known.rank:
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
    rank: tuple[int, bool]  # the smallest is taken
    origin: tuple[int, str] | str  # what made it; equal origins must give equal digests
    digest: str


def _rank(run: StoredRun) -> tuple[int, bool]:
    return _BETTER.index(run.status), run.record.is_without_tables


def _origin(run: StoredRun) -> tuple[int, str] | str:
    """A failure repeats nothing, so it is compared with nothing."""
    if not run.record.outcome.is_result:
        return f"failure with {run.record_digest}"
    return run.semantics_version, run.members_digest
