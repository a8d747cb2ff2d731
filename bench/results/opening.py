"""Opening a store's file: what is refused, and how SQLite is set up.

WAL lets readers read while another process writes; synchronous=FULL makes a commit outlive a power
cut; BEGIN IMMEDIATE takes the write lock at once, where an upgrade half way could only fail.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from bench.records import BadInput
from bench.results.schema import APPLICATION_ID, FILE, FORMAT, SCHEMA

BUSY_SECONDS = 60.0
_MAGIC = b"SQLite format 3\0"


def check_folder(folder: Path) -> None:
    """Raises BadInput where `folder` can hold no store of ours. Creates and writes nothing."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise BadInput(f"results={folder}: {existing} is a file; give a folder")
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        raise BadInput(f"results={folder}: {existing} cannot be written to; give another folder")
    if (folder / FILE).exists():
        _is_made(folder)
    elif folder.exists() and any(not entry.name.startswith(FILE) for entry in folder.iterdir()):
        raise BadInput(
            f"results={folder}: holds other data and no {FILE}; give a new or an empty folder"
        )


def open_writer(folder: Path) -> sqlite3.Connection:
    """Opens the store of `folder`, made where there is none. Raises BadInput as check_folder."""
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"results={folder}: cannot be made ({error.strerror}); give another folder"
        ) from error
    connection = _connect(f"{(folder / FILE).absolute().as_uri()}?mode=rwc")
    try:
        if _number(connection, "application_id") == 0:
            _make_tables(connection)
        _set_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """Opens the store of `folder` for reading. Raises BadInput where there is none."""
    nothing = BadInput(f"results={folder}: holds no {FILE}; bench run results={folder} makes one")
    if not (folder / FILE).is_file() or not _is_made(folder):
        raise nothing
    connection = _connect(f"{(folder / FILE).absolute().as_uri()}?mode={_reading_mode(folder)}")
    try:
        connection.execute("PRAGMA query_only=ON")
        if _number(connection, "application_id") == 0:
            raise nothing
    except sqlite3.DatabaseError as error:
        connection.close()
        raise BadInput(f"results={folder}: {FILE} cannot be read: {error}") from error
    except BadInput:
        connection.close()
        raise
    return connection


def _is_made(folder: Path) -> bool:
    """By the header alone, which stands in the file from the first commit on (see _make_tables).

    False where that commit was cut short; the next writer makes it. Raises BadInput where the file
    is none of ours, or of a newer format.
    """
    try:
        with (folder / FILE).open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise BadInput(f"results={folder}: {FILE} cannot be read: {error.strerror}") from error
    if not header:
        return False
    version = int.from_bytes(header[60:64], "big")
    if not header.startswith(_MAGIC) or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise BadInput(
            f"results={folder}: {FILE} is not a store of this suite; give another folder"
        )
    if version > FORMAT:
        raise BadInput(
            f"results={folder}: the store has format {version}, this version of the suite reads up "
            f"to {FORMAT}; update the suite"
        )
    return True


def _reading_mode(folder: Path) -> str:
    # A WAL database at rest needs a file beside it even to be read; on a read-only medium nobody
    # writes either, which is what immutable promises.
    at_rest = not (folder / f"{FILE}-wal").exists()
    return "ro&immutable=1" if at_rest and not os.access(folder, os.W_OK) else "rw"


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    # Committed before the file turns to WAL, so that the mark is in the file and not in the log.
    connection.execute("BEGIN IMMEDIATE")
    if _number(connection, "application_id") == 0:
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute("COMMIT")


def _set_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for the lock that the change needs, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
