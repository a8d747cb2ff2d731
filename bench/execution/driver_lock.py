"""One driver a store: two at once would run everything twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.records import BadInput
from bench.results.schema import FILE

LOCK_FILE = f"{FILE}.lock"


@contextmanager
def driver_lock(folder: Path) -> Iterator[None]:
    """Holds the lock of the store in `folder`, which must be there; readers take no notice of it.

    The kernel releases it when this process ends, however it ends: the file that stays behind says
    nothing. Raises BadInput, with the process that holds it, where another driver is at work. On a
    file system without locks there is none.
    """
    descriptor = _open(folder / LOCK_FILE)
    try:
        if descriptor is not None:
            _lock(descriptor, folder)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(file: Path) -> int | None:
    """None where it cannot be had; whether the store itself can be written is said elsewhere."""
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return None


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise BadInput(
            f"results={folder}: another bench run (process {holder}) is at work on it; "
            "wait until it is done, or give another folder"
        ) from error
    except OSError:  # this file system has no locks
        return
    with suppress(OSError):  # a full disk: the number is only for others to read
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
