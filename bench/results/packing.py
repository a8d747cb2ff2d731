"""A store as one small file, for reading: its current runs, with or without their curves.

    DIR/results.sqlite.xz      read by whatever reads DIR/results.sqlite; xz -dk makes it that

What differs from the store it was made from: stale runs, failures and superseded rows are left
behind, and in the place of curves and flow stands LEFT_OUT (schema.py), unless they are packed too.
A digest that covers them stays as it was, and cannot be checked any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.records import BadInput
from bench.results.opening import make_tables
from bench.results.packed_file import write_packed
from bench.results.schema import COLUMNS, FILE, FORMAT, LEFT_OUT, PACKED, TABLES, WHOLE_FORMAT
from bench.results.store import Status, Store

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was written: of `num_runs`, `num_without_tables` are without their curves or flow."""

    file: Path
    num_runs: int
    num_without_tables: int
    num_bytes: int


def pack(store: Store, folder: Path, *, with_tables: bool) -> Packed:
    """Writes the current runs of `store` into `folder`. The same runs give the same bytes.

    Raises BadInput where there are none, or `folder` has a store that is not packed, which would be
    read in the place of this one.
    """
    if (folder / FILE).exists():
        raise BadInput(f"{folder}: holds {FILE}, which would be read instead; remove it")
    rows = list(_rows(store, with_tables))
    if not rows:
        raise BadInput(f"{store.folder}: has no current run to pack; see: bench report")
    without = sum(any(row[table] == LEFT_OUT for table in TABLES) for row in rows)
    size = write_packed(_content(rows, FORMAT if without else WHOLE_FORMAT), folder / PACKED)
    return Packed(
        file=folder / PACKED, num_runs=len(rows), num_without_tables=without, num_bytes=size
    )


def _rows(store: Store, with_tables: bool) -> Iterator[Row]:
    current = {run.run_id for run in store.rows() if run.status is Status.CURRENT}
    for row in store.plain_rows():
        if row["run_id"] in current:
            yield row if with_tables else row | _left_out(row)


def _left_out(row: Row) -> Row:
    return {table: LEFT_OUT for table in TABLES if row[table] is not None}


def _content(rows: list[Row], version: int) -> bytes:
    """The bytes of a SQLite file; what resembles each other stands together."""
    marks = ", ".join(f":{name}" for name in COLUMNS)
    in_order = sorted(rows, key=_place)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        make_tables(copy, version)
        copy.execute("BEGIN")
        copy.executemany(
            f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({marks})",  # noqa: S608
            in_order,
        )
        copy.execute("COMMIT")
        copy.execute("VACUUM")
        return copy.serialize()


def _place(row: Row) -> tuple[Any, ...]:
    names = ("task", "architecture", "mitigation", "optimizer", "cell_id", "seed", "run_id")
    return tuple(row[name] for name in names)
