"""Stores as Parquet: runs, curves and flow, each read by pandas, Polars or DuckDB in one line.

NaN stays NaN; null says that a column does not apply to the run.
"""

# mypy: disable-error-code="attr-defined, name-defined, no-untyped-call"
# (pyarrow has no types, and hands on the names of its compiled part without saying so)

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.plain_text import one_line
from bench.records import BadInput
from bench.results.combining import Combined
from bench.results.export_columns import (
    CURVES,
    FLOW,
    INTEGER,
    RUNS,
    TEXT,
    schema,
    type_of,
    wider,
)
from bench.results.flattening import Flat, flat_run
from bench.results.store import Store

_Columns: TypeAlias = Mapping[str, pa.DataType]
_Table: TypeAlias = Mapping[str, np.ndarray]  # column -> [rows]

RUNS_PER_GROUP = 1000
ROWS_PER_GROUP = 200_000


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
    paths = [target / f"{name}.parquet" for name in ("runs", "curves", "flow")]
    with ExitStack() as stack:
        curves = _Tables(stack.enter_context(_writer(paths[1], CURVES)), CURVES)
        flow = _Tables(stack.enter_context(_writer(paths[2], FLOW)), FLOW)
        columns = _tables_and_columns(combined, curves, flow)
        _write_runs(combined, columns, stack.enter_context(_writer(paths[0], columns)))
    return paths


def _tables_and_columns(combined: Combined, curves: _Tables, flow: _Tables) -> _Columns:
    """One pass over the runs: writes their tables, and returns the columns of `runs`."""
    more: dict[str, pa.DataType] = {}
    for run in combined.rows():
        curves.add(run.run_id, run.record.curves)
        flow.add(run.run_id, run.record.flow)
        for name, value in flat_run(run).items():
            if name not in RUNS:
                more[name] = wider(more.get(name, pa.null()), type_of(value))
    curves.write()
    flow.write()
    # A column that no run fills is still a column of text, not of nothing.
    filled = {name: TEXT if more[name] == pa.null() else more[name] for name in sorted(more)}
    return {**RUNS, **filled}


def _write_runs(combined: Combined, columns: _Columns, writer: pq.ParquetWriter) -> None:
    rows = combined.rows()
    while group := [flat_run(run) for run in islice(rows, RUNS_PER_GROUP)]:
        arrays = [_array(group, name, kind) for name, kind in columns.items()]
        batch = pa.record_batch(arrays, schema=schema(columns))
        writer.write_batch(batch, row_group_size=batch.num_rows)


def _array(rows: Sequence[Flat], name: str, kind: pa.DataType) -> pa.Array:
    values: list[Any] = [row.get(name) for row in rows]
    if name not in RUNS and kind == TEXT:
        values = [None if value is None else str(value) for value in values]
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise BadInput(
            f"{name} is not {kind} in every run ({one_line(str(error))}); "
            "find the run with: bench doctor DIR"
        ) from error


class _Tables:
    """The curves, or the flow, of many runs, written as many at a time as memory holds with ease.

    One row a run and row of its table, beginning with the run id.
    """

    def __init__(self, writer: pq.ParquetWriter, columns: _Columns) -> None:
        self._writer, self._columns = writer, columns
        self._waiting: list[tuple[str, _Table]] = []
        self._num_rows = 0

    def add(self, run_id: str, table: _Table) -> None:
        if table:
            self._waiting.append((run_id, table))
            self._num_rows += len(table["step"])
        if self._num_rows >= ROWS_PER_GROUP:
            self.write()

    def write(self) -> None:
        if self._waiting:
            arrays = [self._column(name, kind) for name, kind in self._columns.items()]
            batch = pa.record_batch(arrays, schema=schema(self._columns))
            self._writer.write_batch(batch, row_group_size=batch.num_rows)
        self._waiting, self._num_rows = [], 0

    def _column(self, name: str, kind: pa.DataType) -> pa.Array:
        if name == "run_id":
            lengths = [len(table["step"]) for _, table in self._waiting]
            return pa.array(np.repeat([run_id for run_id, _ in self._waiting], lengths), kind)
        column = np.concatenate([table[name] for _, table in self._waiting])
        if kind == INTEGER and not np.isfinite(column).all():
            raise ValueError(f"a {name} that is no number")
        return pa.array(column.astype(np.int64) if kind == INTEGER else column)


@contextmanager
def _writer(path: Path, columns: _Columns) -> Iterator[pq.ParquetWriter]:
    """A reader finds the old file or the new one, never a part of either."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            with pq.ParquetWriter(file, schema(columns), compression="zstd") as writer:
                yield writer
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
