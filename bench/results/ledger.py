"""What has been mirrored where, in DIR/wandb/mirror.sqlite.

Beside the store and not in it: a mirror that hangs or dies can then hold no lock the driver waits
for, a store that is handed on does not claim what another person's account holds, and whoever
deletes the offline files deletes with them the belief that they exist.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

BUSY_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mirrored (
  run_id TEXT NOT NULL,
  target TEXT NOT NULL,
  record_digest TEXT NOT NULL,
  PRIMARY KEY (run_id, target)
);
CREATE TABLE IF NOT EXISTS log (
  id INTEGER PRIMARY KEY,
  is_problem INTEGER NOT NULL,
  text TEXT NOT NULL
);
"""


def wandb_folder(folder: Path) -> Path:
    return folder / "wandb"


class Ledger:
    """The ledger of the store in `folder`. Belongs to the thread that opened it.

    Raises OSError or sqlite3.Error where `folder`/wandb cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        wandb_folder(folder).mkdir(parents=True, exist_ok=True)
        file = wandb_folder(folder) / "mirror.sqlite"
        self._connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            # A lost entry costs one run mirrored twice, under the same id.
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(_SCHEMA)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def add(self, run_id: str, target: str, record_digest: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO mirrored VALUES (?, ?, ?)", (run_id, target, record_digest)
        )
        self.note_step(run_id)

    def mirrored(self, target: str) -> dict[str, str]:
        """Run id -> digest of the record that was mirrored."""
        query = "SELECT run_id, record_digest FROM mirrored WHERE target = ?"
        return dict(self._connection.execute(query, (target,)).fetchall())

    def missing(self, digests: Mapping[str, str], target: str) -> list[str]:
        """The ids of those runs (id -> record digest) that are not there as they are now."""
        done = self.mirrored(target)
        return [run_id for run_id, digest in digests.items() if done.get(run_id) != digest]

    def note_step(self, text: str) -> None:
        self._connection.execute("INSERT INTO log (is_problem, text) VALUES (0, ?)", (text,))

    def note_problem(self, text: str) -> None:
        self._connection.execute("INSERT INTO log (is_problem, text) VALUES (1, ?)", (text,))

    def num_notes(self) -> int:
        """Grows while a mirror gets on."""
        return int(self._connection.execute("SELECT count(*) FROM log").fetchone()[0])

    def last_problem(self, after: int) -> str | None:
        """The last problem that came after the first `after` notes."""
        query = "SELECT text FROM log WHERE is_problem AND id > ? ORDER BY id DESC LIMIT 1"
        found = self._connection.execute(query, (after,)).fetchone()
        return None if found is None else str(found[0])
