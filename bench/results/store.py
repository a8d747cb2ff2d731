"""The store: every run of a grid, whole or not at all, in DIR/results.sqlite.

    with Store.open(folder) as store:        # the driver, which alone writes
        done = store.current(specs)
        store.put(record, provenance)
    with Store(folder) as store:             # everybody else; a packed store too (packing.py)
        for run in store.rows(): ...

One transaction a run: a kill at any moment leaves all of a run or nothing of it. Not for network
file systems, where SQLite's locks do not hold.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bench import records
from bench.records import LeftOut, Outcome, RunRecord, RunSpec
from bench.results import encoding
from bench.results.currency import DATA, Currency, Status, member_key
from bench.results.encoding import DAMAGE, LazyTable, blob_to_table
from bench.results.opening import check_folder, open_reader, open_writer, unreadable
from bench.results.rescue import Place, StoreLost
from bench.results.schema import COLUMNS, PROVENANCE_FIELDS, TABLES, WHICH_LEFT_OUT

__all__ = ["Status", "Store", "StoreLost", "StoredRun", "check_folder"]

_NAMES = ", ".join(COLUMNS)
_READ = ", ".join([*(name for name in COLUMNS if name not in TABLES), WHICH_LEFT_OUT])
_OUTCOMES = ", ".join(f"'{outcome.value}'" for outcome in Outcome if outcome.is_result)
_RESULTS = (
    "SELECT run_id, members_digest FROM runs"  # noqa: S608
    f" WHERE semantics_version = ? AND outcome IN ({_OUTCOMES})"
)


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run as the store holds it.

    `record.curves` and `record.flow` are read when first asked for, while the store is open; they
    are LeftOut where the store was packed without them.
    """

    run_id: str
    cell_id: str
    record: RunRecord
    record_digest: str
    semantics_version: int
    members_digest: str
    provenance: Mapping[str, Any]
    stored_at: str  # UTC
    currency: Currency = field(repr=False, compare=False)

    @property
    def status(self) -> Status:
        """Looked up when asked for: it reads the member files, which may be broken just now."""
        return self.currency.status(
            spec=self.record.spec,
            outcome=self.record.outcome,
            semantics_version=self.semantics_version,
            digest=self.members_digest,
            stored=self.provenance.get("member_digests"),
        )


class Store:
    """The runs of one folder. A store belongs to the thread that opened it.

    Raises BadInput where the folder holds no store, or one of a newer format, and from whatever
    reads where the store is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self._adopt(Path(folder), open_reader(Path(folder)), None)

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """For writing; makes the folder and the store where there are none.

        Raises BadInput where `folder` is a file or holds other data.
        """
        store = cls.__new__(cls)
        store._adopt(Path(folder), open_writer(Path(folder)), Place(Path(folder)))
        return store

    def _adopt(self, folder: Path, connection: sqlite3.Connection, place: Place | None) -> None:
        self.folder = folder
        self._connection = connection
        self._place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def put(self, record: RunRecord, provenance: Mapping[str, Any]) -> None:
        """Stores all of a run at once; a row of the same run moves to `superseded`.

        A traceback is stored as clean_traceback leaves it. Raises ValueError where a result comes
        without one of PROVENANCE_FIELDS, StoreLost where the store was deleted or moved.
        """
        if record.outcome.is_result:
            _check_provenance(record, provenance)
        now = _now()
        row = encoding.to_row(record, provenance, now)
        replaced = {"now": now, "run_id": row["run_id"]}
        if not record.outcome.is_result and self.current([record.spec]):
            return  # another driver had more luck with the same run
        marks = ", ".join(f":{name}" for name in COLUMNS)
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            execute(
                f"INSERT INTO superseded (superseded_at, {_NAMES})"  # noqa: S608
                f" SELECT :now, {_NAMES} FROM runs WHERE run_id = :run_id",
                replaced,
            )
            execute("DELETE FROM runs WHERE run_id = :run_id", replaced)
            execute(f"INSERT INTO runs ({_NAMES}) VALUES ({marks})", row)  # noqa: S608
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        self.check_place()

    def check_place(self) -> None:
        """Raises StoreLost where a store that is written to is no longer where it was opened."""
        if self._place is not None and not self._place.is_kept():
            raise self._place.rescue(self._connection)

    def current(self, specs: Iterable[RunSpec]) -> set[str]:
        """The ids of those runs of `specs` that need not be run again."""
        with self._damage_told():
            query = self._connection.execute(_RESULTS, (records.SEMANTICS_VERSION,))
            results = dict(query.fetchall())
        currency = Currency()
        ids = ((spec, spec.run_id) for spec in specs)
        return {
            run_id
            for spec, run_id in ids
            if run_id in results and results[run_id] == currency.members(spec)
        }

    def rows(self) -> Iterator[StoredRun]:
        """Every run, by run id: results, stale ones and failures."""
        currency = Currency()
        with self._damage_told():
            for row in self._connection.execute(
                f"SELECT {_READ} FROM runs ORDER BY run_id"  # noqa: S608
            ):
                yield self._stored_run(row, currency)

    def plain_rows(self) -> Iterator[dict[str, Any]]:
        """The columns of every run as they are stored, by run id."""
        with self._damage_told():
            for row in self._connection.execute(f"SELECT {_NAMES} FROM runs ORDER BY run_id"):  # noqa: S608
                yield dict(row)

    def get(self, run_id: str) -> StoredRun:
        """Raises KeyError."""
        query = f"SELECT {_READ} FROM runs WHERE run_id = ?"  # noqa: S608
        with self._damage_told():
            row = self._connection.execute(query, (run_id,)).fetchone()
        if row is None:
            raise KeyError(run_id)
        return self._stored_run(row, Currency())

    def made_alike(self) -> Iterator[tuple[StoredRun, int]]:
        """Of all runs that were made with the same and ended alike one, and how many they are.

        These have one status: a large store answers at once whether it is current.
        """
        query = (
            "SELECT min(run_id), count(*) FROM runs"
            " GROUP BY semantics_version, members_digest, outcome ORDER BY 1"
        )
        with self._damage_told():
            groups = self._connection.execute(query).fetchall()
        for run_id, count in groups:
            yield self.get(run_id), count

    def digests(self) -> dict[str, str]:
        """Run id -> record digest, of every run, by run id."""
        query = "SELECT run_id, record_digest FROM runs ORDER BY run_id"
        with self._damage_told():
            return dict(self._connection.execute(query).fetchall())

    def freeze(self) -> None:
        """What other processes write from now on is not seen: all that is read goes together."""
        self._connection.execute("BEGIN")

    def data_version(self) -> int:
        """A number that changes when another process has written to the store."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _stored_run(self, row: sqlite3.Row, currency: Currency) -> StoredRun:
        run_id, digest = row["run_id"], row["record_digest"]

        def table(name: str) -> Mapping[str, np.ndarray]:
            if row[f"{name}_left_out"]:
                return LeftOut()
            return LazyTable(lambda: self._table(name, run_id, digest))

        with self._damage_told(run_id):
            return StoredRun(
                run_id=run_id,
                cell_id=row["cell_id"],
                record=encoding.to_record(row, table),
                record_digest=digest,
                semantics_version=row["semantics_version"],
                members_digest=row["members_digest"],
                provenance=json.loads(row["provenance"]),
                stored_at=row["stored_at"],
                currency=currency,
            )

    def _table(self, table: str, run_id: str, digest: str) -> Mapping[str, np.ndarray]:
        # By digest too: the run may have been run again since its row was read.
        query = " UNION ALL ".join(
            f"SELECT {table} FROM {place} WHERE run_id = :run_id AND record_digest = :digest"  # noqa: S608
            for place in ("runs", "superseded")
        )
        with self._damage_told(run_id):
            found = self._connection.execute(query, {"run_id": run_id, "digest": digest}).fetchone()
            if found is None:
                raise KeyError(run_id)
            return blob_to_table(found[0])

    @contextmanager
    def _damage_told(self, run_id: str | None = None) -> Iterator[None]:
        """Whatever reading raises where the stored bytes are damaged becomes BadInput."""
        try:
            yield
        except (sqlite3.Error, *DAMAGE) as error:
            raise unreadable(self.folder, error, run_id) from error


def _check_provenance(record: RunRecord, provenance: Mapping[str, Any]) -> None:
    missing = [name for name in PROVENANCE_FIELDS if name not in provenance]
    if missing:
        raise ValueError(f"a result without provenance is not stored: {', '.join(missing)}")
    members = {member_key(kind, member) for kind, member in record.spec.members}
    told = {key for key in provenance["member_digests"] if not key.startswith(DATA)}
    if told != members:
        raise ValueError(f"member_digests are not those of the members {sorted(members)}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
