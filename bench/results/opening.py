"""Opening a store's file: what is refused, and how SQLite is set up.

WAL lets readers read while another process writes; synchronous=FULL makes a commit outlive a power
cut; BEGIN IMMEDIATE takes the write lock at once, where an upgrade half way could only fail.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
import time
from pathlib import Path

from bench.plain_text import one_line
from bench.records import BadInput
from bench.results.packed_file import read_packed
from bench.results.schema import APPLICATION_ID, FILE, FORMAT, PACKED, SCHEMA, WHOLE_FORMAT

BUSY_SECONDS = 60.0
_MAGIC = b"SQLite format 3\0"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def check_folder(folder: Path) -> None:
    """Raises BadInput where `folder` can hold no store of ours. Creates and writes nothing."""
    where, existing = f"results={folder}", folder
    while (kind := _kind(where, existing)) is None and existing != existing.parent:
        existing = existing.parent
    if kind != "folder":
        raise BadInput(f"{where}: {existing} is a file; give a folder")
    refuse_packed(where, folder)
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        raise BadInput(f"{where}: {existing} cannot be written to; give another folder")
    if _has_file(where, folder):
        _is_made(where, folder)
    elif existing == folder and any(not name.startswith(FILE) for name in os.listdir(folder)):
        raise BadInput(f"{where}: holds other data and no {FILE}; give a new or an empty folder")


def open_writer(folder: Path) -> sqlite3.Connection:
    """Opens the store of `folder`, made where there is none.

    Raises BadInput as check_folder and where it is damaged, sqlite3.Error where the disk is full.
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"results={folder}: cannot be made ({error.strerror}); give another folder"
        ) from error
    connection = _connect(folder, "rwc")
    try:
        if _number(connection, "application_id") == 0:
            make_tables(connection)
        _set_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.DatabaseError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF in _DAMAGED:
            raise unreadable(folder, error) from error
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """Opens the store of `folder` for reading, from memory where it is packed.

    Raises BadInput where there is none.
    """
    where = str(folder)
    if _kind(where, folder) == "file":
        its = f", {folder.parent}" if folder.name == FILE else ""
        raise BadInput(f"{where}: is a file; give the folder that holds {FILE}{its}")
    nothing = BadInput(f"{where}: holds no {FILE}; bench run results={where} makes one")
    packed = is_packed(where, folder)
    if not packed and not (_has_file(where, folder) and _is_made(where, folder)):
        raise nothing
    connection = _connect_packed(folder) if packed else _connect(folder, _reading_mode(folder))
    try:
        connection.execute("PRAGMA query_only=ON")
        if _number(connection, "application_id") == 0:
            raise nothing
    except sqlite3.DatabaseError as error:
        connection.close()
        raise unreadable(folder, error) from error
    except BadInput:
        connection.close()
        raise
    return connection


def stores_in(folder: Path) -> list[Path]:
    """What `folder` stands for: itself, or, where packed stores lie up to two folders below it, all
    of those as one."""
    # Not Path.is_dir, nor exists, which raise for some names: whoever opens the store says why.
    depths = ("*", "*/*") if os.path.isdir(folder) else ()
    below = {file.parent for depth in depths for file in folder.glob(f"{depth}/{PACKED}")}
    if not below:
        return [folder]
    return [*([folder] if holds_store(folder) else []), *sorted(below)]


def holds_store(folder: Path) -> bool:
    """Whether there is a store's file, as it is or packed; it may be damaged."""
    return os.path.exists(folder / FILE) or os.path.exists(folder / PACKED)


def is_packed(where: str, folder: Path) -> bool:
    """Whether the store of `folder` is a packed one; where there are both, the other is newer."""
    return not _has_file(where, folder) and _has_file(where, folder, PACKED)


def refuse_packed(where: str, folder: Path) -> None:
    """Raises BadInput where the store of `folder` is packed."""
    if is_packed(where, folder):
        raise BadInput(
            f"{where}: its store is packed, for reading; give another folder, or unpack it with: "
            f"xz -dk {shlex.quote(str(folder / PACKED))}"
        )


def unreadable(folder: Path, why: Exception | str, run_id: object = None) -> BadInput:
    """What is said of a damaged store, or of a damaged run in it."""
    what = FILE if run_id is None else f"run {run_id}"
    is_told = isinstance(why, str | sqlite3.Error)
    reason = one_line(str(why) if is_told else f"{type(why).__name__}: {why}")
    return BadInput(
        f"{what} in {folder} cannot be read ({reason}); "
        f"check it with: bench doctor {shlex.quote(str(folder))}"
    )


def _kind(where: str, path: Path) -> str | None:
    """ "folder", "file" (a pipe and a device too) or None; raises BadInput for a broken link."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise BadInput(f"{where}: {path} is a link that leads nowhere; remove it") from error
        return None
    except OSError as error:  # a name that is too long, a circle of links
        raise BadInput(f"{where}: {error.strerror}; give another folder") from error
    return "folder" if stat.S_ISDIR(mode) else "file"


def _has_file(where: str, folder: Path, name: str = FILE) -> bool:
    # Looked at first: to open a pipe is to wait for somebody who writes to it.
    if _kind(where, folder / name) is None:
        return False
    if not (folder / name).is_file():
        raise BadInput(f"{where}: {name} in it is no file; remove it, or give another folder")
    return True


def _is_made(where: str, folder: Path) -> bool:
    """By the header alone, which stands in the file from the first commit on (see make_tables).

    False where that commit was cut short; the next writer makes it. Raises BadInput where the file
    is none of ours, or of a newer format.
    """
    try:
        with (folder / FILE).open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise BadInput(f"{where}: {FILE} cannot be read: {error.strerror}") from error
    if not header:
        return False
    _check_header(where, FILE, header)
    return True


def _check_header(where: str, name: str, header: bytes | bytearray) -> None:
    version = int.from_bytes(header[60:64], "big")
    if not header.startswith(_MAGIC) or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise BadInput(f"{where}: {name} is not a store of this suite; give another folder")
    if version > FORMAT:
        raise BadInput(
            f"{where}: the store has format {version}, this version of the suite reads up "
            f"to {FORMAT}; update the suite"
        )


def _reading_mode(folder: Path) -> str:
    # A WAL database at rest needs a file beside it even to be read; on a read-only medium nobody
    # writes either, which is what immutable promises.
    at_rest = not (folder / f"{FILE}-wal").exists()
    return "ro&immutable=1" if at_rest and not os.access(folder, os.W_OK) else "rw"


def _connect(folder: Path, mode: str) -> sqlite3.Connection:
    uri = f"{(folder / FILE).absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _connect_packed(folder: Path) -> sqlite3.Connection:
    content = read_packed(folder / PACKED)
    _check_header(str(folder), PACKED, content[:100])
    # A file in memory has no log beside it. One that was packed by hand may say that it has.
    content[18:20] = b"\1\1"
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.deserialize(content)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise unreadable(folder, error) from error
    return connection


def make_tables(connection: sqlite3.Connection, version: int = WHOLE_FORMAT) -> None:
    """Makes an empty store of an empty SQLite file; `version` is its format."""
    # Committed before the file turns to WAL, so that the mark is in the file and not in the log.
    connection.execute("BEGIN IMMEDIATE")
    if _number(connection, "application_id") == 0:
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version}")
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
