"""A store that is deleted or moved while it is being written: noticed, and written out again.

SQLite goes on writing to the file that it has open, whatever becomes of its name. Unless somebody
looks at the name, a grid loses everything with its folder and ends as if all were well.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from pathlib import Path

from bench.results.schema import FILE


class StoreLost(Exception):  # noqa: N818
    """The store is not where it was. The message says what happened and where its runs are now."""


class Place:
    """Where the file of a store stands that was just opened."""

    def __init__(self, folder: Path) -> None:
        self._said = folder
        self._folder = folder.absolute()  # the current folder may be removed too
        self._identity = _identity(self._folder / FILE)

    def is_kept(self) -> bool:
        """Whether the file that was opened is the one that stands there."""
        try:
            return _identity(self._folder / FILE) == self._identity
        except OSError:  # no permission to look, for one: the file may well be there
            return True

    def rescue(self, connection: sqlite3.Connection) -> StoreLost:
        """Writes all that `connection` still holds to where it was, and returns what to raise.

        Where another store has taken the place, it is left alone: FOLDER.rescued is made.
        """
        what = f"results={self._said}: the store was deleted or moved while runs were under way"
        try:
            (count,) = connection.execute("SELECT count(*) FROM runs").fetchone()
            place = self._free_place()
            _write(connection, place)
        except (OSError, sqlite3.Error) as error:
            return StoreLost(
                f"{what}, and cannot be written there again ({error}); if it was moved, the runs "
                "up to now are where it is"
            )
        if place == self._folder:
            return StoreLost(
                f"{what}; the runs up to now ({count}) were written there again, and the same "
                "command goes on from them"
            )
        return StoreLost(
            f"{what}, and another store was put there; the runs up to now ({count}) are in "
            f"{place}: bench report {self._said} {place} reads both"
        )

    def _free_place(self) -> Path:
        if _identity(self._folder / FILE) is None:
            return self._folder
        name = self._folder.with_name(f"{self._folder.name}.rescued")
        others = (name.with_name(f"{name.name}-{number}") for number in itertools.count(2))
        return next(place for place in (name, *itertools.islice(others, 98)) if not place.exists())


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and inode; None where there is no such file."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _write(connection: sqlite3.Connection, folder: Path) -> None:
    """All of the store, the latest transactions with it, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{FILE}.{os.getpid()}"
    copy = sqlite3.connect(unfinished)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    unfinished.replace(folder / FILE)
