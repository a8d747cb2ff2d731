"""`bench`: runs one command, and gives whatever comes of it its exit code and no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import streams

DOES_NOT_HOLD, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code. Bad input is one line on standard error."""
    try:
        with streams.ready():
            return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        streams.complain("interrupted")
        return INTERRUPTED
    except streams.OutputError as error:
        if error.reason:  # there is none for `bench list tasks | head`
            streams.complain(f"standard output takes nothing more: {error.reason}")
        return DOES_NOT_HOLD


def _run(argv: list[str]) -> int:
    # Here and not above: importing takes a while, and ctrl-C is to find main at work.
    from bench import commands
    from bench.records import BadInput

    try:
        return commands.run(argv)
    except BadInput as error:
        streams.complain(" ".join(str(error).split()))
        return BAD_INPUT
    except FileNotFoundError:
        if _has_current_folder():
            raise
        streams.complain("the current folder was removed; cd to one that is there")
        return BAD_INPUT


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True
