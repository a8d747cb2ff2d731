"""Standard streams that are closed, full, gone, or of few letters: none of it is a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast


class OutputError(Exception):
    """Standard output does not take what is printed; `reason` is "" where nobody reads on."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.reason = "" if isinstance(error, BrokenPipeError) else str(error.strerror)


@contextmanager
def ready() -> Iterator[None]:
    """A closed stream becomes /dev/null, a letter that one lacks becomes "?".

    Raises OutputError from whatever prints, or at the end.
    """
    _fill_gaps()
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    watched = _Watched(sys.stdout)
    try:
        with redirect_stdout(cast(TextIO, watched)):
            yield
        watched.flush()
    except OutputError:
        _turn_to_nowhere(sys.stdout)
        raise


def complain(line: str) -> None:
    """One line on standard error, if it takes one."""
    try:
        print(f"bench: {line}", file=sys.stderr, flush=True)
    except OSError:
        _turn_to_nowhere(sys.stderr)


class _Watched:
    """A stream whose failures can be told from those of all other files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputError(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _fill_gaps() -> None:
    """The next file to be opened would take the number of a closed stream, and what is meant for
    the screen would be written into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _turn_to_nowhere(stream: TextIO) -> None:
    """Python flushes once more at its end, and would say that it could not."""
    with suppress(OSError, ValueError):  # a stream without a number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
