"""What a store holds: its tables, and the provenance without which no result is stored."""

from __future__ import annotations

FILE = "results.sqlite"
PACKED = "results.sqlite.xz"
APPLICATION_ID = 0x45474231  # "EGB1": marks a SQLite file as a store of this suite
FORMAT = 2
"""The newest that is read. Raised whenever a store of the new layout could not be read by the old
code. Only a store without some of its tables has format 2; all others are made, and stay, 1."""
WHOLE_FORMAT = 1
LEFT_OUT = b""
"""In a store of format 2, stands for the curves, or the flow, of a run that were left out of it.
Of a run that never had any, NULL stands there, in every format."""

COLUMNS = {
    "run_id": "TEXT NOT NULL",
    "cell_id": "TEXT NOT NULL",
    "task": "TEXT NOT NULL",
    "architecture": "TEXT NOT NULL",
    "mitigation": "TEXT NOT NULL",  # names joined with +
    "optimizer": "TEXT NOT NULL",
    "seed": "INTEGER NOT NULL",
    "steps": "INTEGER NOT NULL",
    "dtype": "TEXT NOT NULL",
    "outcome": "TEXT NOT NULL",
    "solved_step": "INTEGER",
    "steps_done": "INTEGER NOT NULL",
    "first_event_kind": "TEXT",
    "first_event_step": "INTEGER",
    "first_event_tensor": "TEXT",
    "first_event_time_step": "INTEGER",
    "record_digest": "TEXT NOT NULL",
    "semantics_version": "INTEGER NOT NULL",
    "members_digest": "TEXT NOT NULL",  # of provenance's member_digests (currency.py)
    "seconds": "REAL NOT NULL",
    "cpu_seconds": "REAL NOT NULL",
    "peak_memory": "INTEGER NOT NULL",
    "stored_at": "TEXT NOT NULL",  # UTC
    # JSON below: strict, a non-finite number is the string "nan", "inf" or "-inf". A REAL column
    # would turn NaN into NULL, and no query could tell a diverged run from a missing number.
    "spec": "TEXT NOT NULL",
    "event_counts": "TEXT NOT NULL",
    "scores": "TEXT NOT NULL",
    "facts": "TEXT NOT NULL",
    "provenance": "TEXT NOT NULL",
    "error": "TEXT",
    # Last, so that a query of the columns above never reads their pages.
    "curves": "BLOB",
    "flow": "BLOB",
}
TABLES = ("curves", "flow")
WHICH_LEFT_OUT = ", ".join(
    f"length({table}) IS 0"  # noqa: S608
    f" AND (SELECT user_version > {WHOLE_FORMAT} FROM pragma_user_version) AS {table}_left_out"
    for table in TABLES
)
"""As columns of a query. An empty blob in a store of format 1 is damage."""

_COLUMN_LINES = ",\n  ".join(f"{name} {kind}" for name, kind in COLUMNS.items())

SCHEMA = (
    f"CREATE TABLE runs (\n  {_COLUMN_LINES},\n  PRIMARY KEY (run_id)\n)",
    # Results that a later attempt at the same run replaced: nothing computed is lost.
    f"CREATE TABLE superseded (\n  superseded_at TEXT NOT NULL,\n  {_COLUMN_LINES}\n)",
    "CREATE INDEX superseded_run ON superseded (run_id)",
)

PROVENANCE_FIELDS = (
    "suite_version",
    "code_digest",
    "member_digests",  # "kind/name" -> SHA-256 of the member's file, as the worker read it
    "git_commit",  # None outside a checkout, as is git_dirty
    "git_dirty",
    "python",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "hydra",
    "os",
    "machine",
    "cpu_model",
    "cpu_cores",
    "cpu_capability",
    "torch_threads",
    "blas",
    "flush_denormal",
    "deterministic_algorithms",
    "float32_matmul_precision",
    "kernels",
    "started_at",  # UTC
)
