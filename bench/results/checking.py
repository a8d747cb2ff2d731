"""Whether a store still holds what was put into it: for `bench doctor DIR`."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.plain_text import one_line
from bench.records import LeftOut, RunRecord
from bench.results.currency import Currency
from bench.results.encoding import DAMAGE, blob_to_table, to_record, to_row
from bench.results.opening import open_reader
from bench.results.schema import COLUMNS, TABLES, WHICH_LEFT_OUT

_TYPES = {"TEXT": str, "INTEGER": int, "REAL": float, "BLOB": bytes}
_CARRIED = {"semantics_version", "stored_at", "error", *TABLES}
"""Columns that follow from no others, and those whose text may differ from machine to machine; the
digest of a record covers its tables."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with a store; `run_id` is None where it is the file as a whole."""

    run_id: str | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found: `counts` has the runs by status, `superseded` the rows that were replaced.

    The digests of `without_tables` runs cover curves or a flow that were left out of a packed
    store: all else of these was checked.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    superseded: int
    without_tables: int


def check(folder: Path | str) -> Check:
    """Reads everything, and computes every digest anew.

    Raises BadInput where the folder holds no store.
    """
    connection = open_reader(Path(folder))
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    superseded = without_tables = 0
    try:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                findings.append(Finding(None, f"SQLite: {one_line(line)}"))
        currency = Currency()
        names = ", ".join([*COLUMNS, WHICH_LEFT_OUT])
        for row in connection.execute(f"SELECT {names} FROM runs ORDER BY run_id"):  # noqa: S608
            problems, status = _examine(row, currency)
            findings += [Finding(str(row["run_id"]), problem) for problem in problems]
            counts[status] += 1
            without_tables += any(row[f"{table}_left_out"] for table in TABLES)
        (superseded,) = connection.execute("SELECT count(*) FROM superseded").fetchone()
    except (sqlite3.Error, *DAMAGE) as error:
        findings.append(Finding(None, f"SQLite: {one_line(str(error))}"))
    finally:
        connection.close()
    return Check(
        findings=tuple(findings),
        counts=dict(counts),
        superseded=superseded,
        without_tables=without_tables,
    )


def _examine(row: sqlite3.Row, currency: Currency) -> tuple[list[str], str]:
    try:
        record = to_record(row, lambda table: _table(row, table))
        problems = [*_wrong_types(row), *_contradictions(row, record)]
        status = currency.status(
            spec=record.spec,
            outcome=record.outcome,
            semantics_version=row["semantics_version"],
            digest=row["members_digest"],
        )
    except DAMAGE as error:
        return [f"cannot be decoded: {type(error).__name__}: {one_line(str(error))}"], "damaged"
    return problems, "damaged" if problems else status.value


def _table(row: sqlite3.Row, table: str) -> Mapping[str, np.ndarray]:
    return LeftOut() if row[f"{table}_left_out"] else blob_to_table(row[table])


def _wrong_types(row: sqlite3.Row) -> Iterator[str]:
    """SQLite holds anything in any column."""
    for name, declared in COLUMNS.items():
        kind, may_be_null = declared.partition(" ")[0], "NOT NULL" not in declared
        value = row[name]
        if not isinstance(value, _TYPES[kind]) and not (value is None and may_be_null):
            yield f"{name} is {_short(value)}, which is not {kind}"


def _contradictions(row: sqlite3.Row, record: RunRecord) -> Iterator[str]:
    """What would be stored now of the record that was read is what is stored."""
    provenance = json.loads(row["provenance"])
    carried = _CARRIED
    if record.is_without_tables:
        carried, record = {*carried, "record_digest"}, replace(record, curves={}, flow={})
    for name, value in to_row(record, provenance, row["stored_at"]).items():
        if name not in carried and row[name] != value:
            yield f"{name} is {_short(row[name])}, but what is stored gives {_short(value)}"


def _short(value: object) -> str:
    return one_line(str(value), 70)
