"""Whether a store still holds what was put into it: for `bench doctor DIR`."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.records import RunRecord
from bench.results.currency import Currency
from bench.results.encoding import blob_to_table, members_digest, to_record
from bench.results.opening import open_reader

_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, zlib.error)
"""What decoding raises where the stored bytes are not what was written."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with a store; `run_id` is None where it is the file as a whole."""

    run_id: str | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found: `counts` has the runs by status, `superseded` the rows that were replaced."""

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    superseded: int


def check(folder: Path | str) -> Check:
    """Reads everything, and computes every digest anew.

    Raises BadInput where the folder holds no store.
    """
    connection = open_reader(Path(folder))
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    superseded = 0
    try:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                findings.append(Finding(None, f"SQLite: {line}"))
        currency = Currency()
        for row in connection.execute("SELECT * FROM runs ORDER BY run_id"):
            problems, status = _examine(row, currency)
            findings += [Finding(row["run_id"], problem) for problem in problems]
            counts[status] += 1
        (superseded,) = connection.execute("SELECT count(*) FROM superseded").fetchone()
    except sqlite3.DatabaseError as error:
        findings.append(Finding(None, f"SQLite: {error}"))
    finally:
        connection.close()
    return Check(findings=tuple(findings), counts=dict(counts), superseded=superseded)


def _examine(row: sqlite3.Row, currency: Currency) -> tuple[list[str], str]:
    try:
        record = to_record(row, lambda table: blob_to_table(row[table]))
        problems = list(_problems(row, record))
        status = currency.status(
            spec=record.spec,
            outcome=record.outcome,
            semantics_version=row["semantics_version"],
            digest=row["members_digest"],
        )
    except _DAMAGE as error:
        return [f"cannot be decoded: {type(error).__name__}: {error}"], "damaged"
    return problems, "damaged" if problems else status.value


def _problems(row: sqlite3.Row, record: RunRecord) -> Iterator[str]:
    spec = record.spec
    members = json.loads(row["provenance"]).get("member_digests", {})
    anew = {
        "run_id": spec.run_id,
        "cell_id": spec.cell_id,
        "task": spec.task.name,
        "architecture": spec.architecture.name,
        "mitigation": spec.mitigation_name,
        "optimizer": spec.optimizer.name,
        "seed": spec.seed,
        "steps": spec.steps,
        "dtype": spec.dtype,
        "record_digest": record.digest,
        "members_digest": members_digest(members),
    }
    for name, value in anew.items():
        if row[name] != value:
            yield f"{name} is {row[name]}, but what is stored gives {value}"
