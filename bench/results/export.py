"""Stores as Parquet: runs, curves and flow, each read by pandas, Polars or DuckDB in one line.

NaN stays NaN; null says that a column does not apply to the run.
"""

# mypy: disable-error-code="attr-defined, name-defined, no-untyped-call"
# (pyarrow has no types, and hands on the names of its compiled part without saying so)

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.records import CURVE_COLUMNS, FLOW_COLUMNS, BadInput
from bench.results.combining import Combined
from bench.results.flattening import Flat, flat_run
from bench.results.store import Store, StoredRun

_Batches: TypeAlias = Iterator[pa.RecordBatch]
_Table: TypeAlias = Mapping[str, np.ndarray]  # column -> [rows]

RUNS_PER_GROUP = 1000
ROWS_PER_GROUP = 200_000
_INTEGERS = ("step", "position")  # of the tables of a run; all else is a measurement


def export(stores: Sequence[Store], folder: Path | str) -> list[Path]:
    """Writes runs, curves and flow .parquet into `folder`/export, each whole or not at all.

    Several stores are read as one (combining.py). Raises BadInput where the files cannot be made.
    """
    target = Path(folder) / "export"
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{target}: cannot be made a folder: {error.strerror}") from error
    combined = Combined(stores)
    schema = _schema_of_runs(flat_run(run) for run in combined.rows())
    return [
        _write(target / "runs.parquet", schema, _runs(combined, schema)),
        _write(
            target / "curves.parquet",
            *_tables(combined, CURVE_COLUMNS, attrgetter("record.curves")),
        ),
        _write(
            target / "flow.parquet", *_tables(combined, FLOW_COLUMNS, attrgetter("record.flow"))
        ),
    ]


def _schema_of_runs(rows: Iterable[Flat]) -> pa.Schema:
    """Every column that any run has, in the order of the first run that has it."""
    types: dict[str, pa.DataType] = {}
    for row in rows:
        for name, value in row.items():
            types[name] = _wider(types.get(name, pa.null()), _type(value))
    # A column that no run fills is still a column of text, not of nothing.
    filled = {name: pa.string() if kind == pa.null() else kind for name, kind in types.items()}
    return pa.schema(list(filled.items()))


def _type(value: object) -> pa.DataType:
    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64() if -(2**63) <= value < 2**63 else pa.string()
    return pa.float64() if isinstance(value, float) else pa.string()


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds both: whole numbers with others are numbers, all else is text."""
    if one == other or other == pa.null():
        return one
    if one == pa.null():
        return other
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()


def _runs(combined: Combined, schema: pa.Schema) -> _Batches:
    rows = combined.rows()
    while group := [flat_run(run) for run in islice(rows, RUNS_PER_GROUP)]:
        columns = [
            pa.array([_cast(row.get(field.name), field.type) for row in group], field.type)
            for field in schema
        ]
        yield pa.record_batch(columns, schema=schema)


def _cast(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if kind == pa.string():
        return str(value)
    return float(value) if kind == pa.float64() else value


def _tables(
    combined: Combined, names: Sequence[str], table_of: Callable[[StoredRun], _Table]
) -> tuple[pa.Schema, _Batches]:
    """One row a run and row of its table, beginning with the run id."""
    kinds = [(name, pa.int64() if name in _INTEGERS else pa.float64()) for name in names]
    schema = pa.schema([("run_id", pa.string()), *kinds])
    batches = (
        pa.record_batch(_columns(group, names), schema=schema)
        for group in _groups(combined, table_of)
    )
    return schema, batches


def _groups(
    combined: Combined, table_of: Callable[[StoredRun], _Table]
) -> Iterator[list[tuple[str, _Table]]]:
    """(run id, table) of the runs that have one, as many at a time as memory holds with ease."""
    group, rows = [], 0
    for run in combined.rows():
        if table := table_of(run):
            group.append((run.run_id, table))
            rows += len(table["step"])
        if rows >= ROWS_PER_GROUP:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _columns(tables: Sequence[tuple[str, _Table]], names: Sequence[str]) -> list[pa.Array]:
    ids = np.repeat([run_id for run_id, _ in tables], [len(table["step"]) for _, table in tables])
    columns = [pa.array(ids, pa.string())]
    for name in names:
        column = np.concatenate([table[name] for _, table in tables])
        columns.append(pa.array(column.astype(np.int64) if name in _INTEGERS else column))
    return columns


def _write(path: Path, schema: pa.Schema, batches: _Batches) -> Path:
    """A reader finds the old file or the new one, never a part of either."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch, row_group_size=batch.num_rows)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path
