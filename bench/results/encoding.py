"""A record as the row of a table, and back: every number comes back as it went in.

Non-finite numbers are strings in strict JSON, and curves are compressed NumPy arrays, which hold
them as they are.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from bench import records
from bench.records import Event, EventKind, Outcome, RunRecord, RunSpec
from bench.results.tracebacks import clean_traceback

DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RecursionError,  # JSON of a thousand brackets
    MemoryError,  # a length that was never written
    zlib.error,
)
"""What reading raises where the stored bytes are not what was written."""

_NONFINITE = ("nan", "inf", "-inf")
_NPY_VERSION = (1, 0)
_MAGIC = np.lib.format.magic(*_NPY_VERSION)


def to_row(record: RunRecord, provenance: Mapping[str, Any], stored_at: str) -> dict[str, Any]:
    """Column -> value, for the columns of schema.COLUMNS."""
    spec, event = record.spec, record.first_event
    return {
        "run_id": spec.run_id,
        "cell_id": spec.cell_id,
        "task": spec.task.name,
        "architecture": spec.architecture.name,
        "mitigation": spec.mitigation_name,
        "optimizer": spec.optimizer.name,
        "seed": spec.seed,
        "steps": spec.steps,
        "dtype": spec.dtype,
        "outcome": record.outcome.value,
        "solved_step": record.solved_step,
        "steps_done": record.steps_done,
        "first_event_kind": event.kind.value if event else None,
        "first_event_step": event.step if event else None,
        "first_event_tensor": event.tensor if event else None,
        "first_event_time_step": event.time_step if event else None,
        "record_digest": record.digest,
        "semantics_version": records.SEMANTICS_VERSION,
        "members_digest": members_digest(provenance.get("member_digests", {})),
        "seconds": record.seconds,
        "cpu_seconds": record.cpu_seconds,
        "peak_memory": record.peak_memory,
        "stored_at": stored_at,
        "spec": spec.to_json(),
        "event_counts": canonical(dict(record.event_counts)),
        "scores": numbers_to_json({name: float(value) for name, value in record.scores.items()}),
        "facts": numbers_to_json(record.facts),
        "provenance": canonical(dict(provenance)),
        "error": None if record.error is None else _storable(clean_traceback(record.error)),
        "curves": table_to_blob(record.curves),
        "flow": table_to_blob(record.flow),
    }


def to_record(row: sqlite3.Row, table: Callable[[str], Mapping[str, np.ndarray]]) -> RunRecord:
    """`table` gives the columns of "curves" or "flow"."""
    return RunRecord(
        spec=RunSpec.from_json(row["spec"]),
        outcome=Outcome(row["outcome"]),
        steps_done=row["steps_done"],
        solved_step=row["solved_step"],
        first_event=_event(row),
        event_counts=json.loads(row["event_counts"]),
        scores=numbers_from_json(row["scores"]),
        facts=numbers_from_json(row["facts"]),
        curves=table("curves"),
        flow=table("flow"),
        error=row["error"],
        seconds=row["seconds"],
        cpu_seconds=row["cpu_seconds"],
        peak_memory=row["peak_memory"],
    )


def canonical(value: Any) -> str:
    """Strict JSON with sorted keys: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def members_digest(digests: Mapping[str, str | None]) -> str:
    """SHA-256 that names a set of member files; `digests`: "kind/name" -> digest of the file."""
    return hashlib.sha256(canonical(dict(digests)).encode()).hexdigest()


def numbers_to_json(values: Mapping[str, Any]) -> str:
    """Strict JSON of scalars; a text that reads like a non-finite number becomes {"text": ...}."""

    def plain(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return repr(float(value))
        return {"text": value} if value in _NONFINITE else value

    return canonical({name: plain(value) for name, value in values.items()})


def numbers_from_json(text: str) -> dict[str, Any]:
    def scalar(value: Any) -> Any:
        if isinstance(value, dict):
            return value["text"]
        return float(value) if value in _NONFINITE else value

    return {name: scalar(value) for name, value in json.loads(text).items()}


def table_to_blob(table: Mapping[str, np.ndarray]) -> bytes | None:
    """Columns of equal length as one compressed .npy; None where there are no columns."""
    if not table:
        return None
    columns = {name: np.asarray(column, dtype="<f8") for name, column in table.items()}
    lengths = {column.shape for column in columns.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise ValueError(f"the columns of a table differ in shape: {sorted(lengths)}")
    packed = np.empty(lengths.pop(), dtype=[(name, "<f8") for name in columns])
    for name, column in columns.items():
        packed[name] = column
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, packed, version=_NPY_VERSION, allow_pickle=False)
    return zlib.compress(buffer.getvalue())


def blob_to_table(blob: bytes | None) -> dict[str, np.ndarray]:
    """Raises one of DAMAGE where the blob is damaged."""
    if blob is None:
        return {}
    content = zlib.decompress(blob)
    # Never numpy.load, which would take an archive or a pickle for a table too.
    start = len(_MAGIC) + 2 + int.from_bytes(content[len(_MAGIC) : len(_MAGIC) + 2], "little")
    num_rows, kind = _layout(content[:start])
    packed = np.frombuffer(content[start:], dtype=kind)
    if len(packed) != num_rows:
        raise ValueError(f"a table of {len(packed)} rows that says it has {num_rows}")
    return {name: np.ascontiguousarray(packed[name]) for name in kind.names or ()}


@lru_cache(maxsize=1024)
def _layout(header: bytes) -> tuple[int, np.dtype[Any]]:
    """Rows and type of a table. NumPy parses a header as Python text, at the cost of the rest."""
    stream = io.BytesIO(header)
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not a table in version 1.0 of the .npy format")
    (num_rows,), _, kind = np.lib.format.read_array_header_1_0(stream)
    if {field[0] for field in (kind.fields or {}).values()} != {np.dtype("<f8")}:
        raise ValueError(f"a table with columns of other types than float64: {kind}")
    return num_rows, kind


class LazyTable(Mapping[str, np.ndarray]):
    """Columns that are read from the store when first asked for."""

    def __init__(self, read: Callable[[], Mapping[str, np.ndarray]]) -> None:
        self._read: Callable[[], Mapping[str, np.ndarray]] | None = read
        self._columns: Mapping[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._table()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())

    def _table(self) -> Mapping[str, np.ndarray]:
        if self._read is not None:
            self._columns, self._read = self._read(), None
        return self._columns


def _event(row: sqlite3.Row) -> Event | None:
    if row["first_event_kind"] is None:
        return None
    return Event(
        EventKind(row["first_event_kind"]),
        row["first_event_step"],
        row["first_event_tensor"],
        row["first_event_time_step"],
    )


def _storable(text: str) -> str:
    """SQLite holds UTF-8: an undecodable byte of a file name is written out as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()
