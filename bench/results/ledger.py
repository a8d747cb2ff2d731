"""What has been mirrored where, in DIR/wandb/mirror.sqlite.

Beside the store and not in it: a mirror that hangs or dies can then hold no lock the driver waits
for, a store that is handed on does not claim what another person's account holds, and whoever
deletes the offline files deletes with them the belief that they exist.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from errno import ENOSPC
from pathlib import Path
from typing import Any, Self

from bench.plain_text import one_line
from bench.results.tracebacks import without_credentials

BUSY_SECONDS = 10.0
LONGEST_NOTE = 300  # characters
DISK_FULL = "the disk is full"
EXIT_DISK_FULL = 3
"""The exit code of a mirror that, for that reason, could not note its problem here."""
WRITABLE = "make it a folder that you can write to"
MENDED_BY = "delete it, and every run is mirrored again, in place of itself"

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS mirrored (
  run_id TEXT NOT NULL,
  target TEXT NOT NULL,
  record_digest TEXT NOT NULL,
  PRIMARY KEY (run_id, target)
)""",
    """
CREATE TABLE IF NOT EXISTS log (
  id INTEGER PRIMARY KEY,
  is_problem INTEGER NOT NULL,
  text TEXT NOT NULL
)""",
)


def wandb_folder(folder: Path) -> Path:
    return folder / "wandb"


class LedgerError(Exception):
    """The ledger cannot be used. The message is one line: what, where, how to mend it."""


class DiskFullError(LedgerError):
    """There is no room for the ledger, nor for anything else beside it."""


class Ledger:
    """The ledger of the store in `folder`. Belongs to the thread that opened it.

    All that it does, opening included, raises LedgerError where its file does not allow it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = wandb_folder(folder) / "mirror.sqlite"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._file, timeout=BUSY_SECONDS, isolation_level=None
            )
        except (OSError, sqlite3.Error) as error:
            raise self._in_words(error) from error
        try:
            self._execute("PRAGMA journal_mode=WAL")
            # A lost entry costs one run mirrored twice, under the same id.
            self._execute("PRAGMA synchronous=NORMAL")
            for statement in _SCHEMA:
                self._execute(statement)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def add(self, run_id: str, target: str, record_digest: str) -> None:
        self._execute(
            "INSERT OR REPLACE INTO mirrored VALUES (?, ?, ?)", run_id, target, record_digest
        )
        self.note_step(run_id)

    def mirrored(self, target: str) -> dict[str, str]:
        """Run id -> digest of the record that was mirrored."""
        return dict(
            self._execute("SELECT run_id, record_digest FROM mirrored WHERE target = ?", target)
        )

    def missing(self, digests: Mapping[str, str], target: str) -> list[str]:
        """The ids of those runs (id -> record digest) that are not there as they are now."""
        done = self.mirrored(target)
        return [run_id for run_id, digest in digests.items() if done.get(run_id) != digest]

    def note_step(self, text: str) -> None:
        self._note(text, is_problem=False)

    def note_problem(self, text: str) -> None:
        self._note(text, is_problem=True)

    def num_notes(self) -> int:
        """Grows while a mirror gets on."""
        return int(self._execute("SELECT count(*) FROM log")[0][0])

    def last_problem(self, after: int) -> str | None:
        """The last problem that came after the first `after` notes."""
        found = self._execute(
            "SELECT text FROM log WHERE is_problem AND id > ? ORDER BY id DESC LIMIT 1", after
        )
        return str(found[0][0]) if found else None

    def _note(self, text: str, *, is_problem: bool) -> None:
        line = one_line(without_credentials(text), LONGEST_NOTE)
        self._execute("INSERT INTO log (is_problem, text) VALUES (?, ?)", is_problem, line)

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._in_words(error) from error

    def _in_words(self, error: OSError | sqlite3.Error) -> LedgerError:
        folder = self._file.parent
        if isinstance(error, OSError):
            if error.errno == ENOSPC:
                return DiskFullError(f"{folder}: {DISK_FULL}")
            return LedgerError(f"{folder}: {error.strerror}; {WRITABLE}")
        # The low byte: in the others SQLite tells apart what is one kind here.
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF:
            case sqlite3.SQLITE_FULL:
                return DiskFullError(f"{folder}: {DISK_FULL}")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return LedgerError(f"{folder}: {error}; {WRITABLE}")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:
                return LedgerError(f"{self._file} is damaged ({error}); {MENDED_BY}")
            case _:
                return LedgerError(f"{self._file}: {error}")
