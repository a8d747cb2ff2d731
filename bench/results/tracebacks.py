"""Tracebacks as they may be published: what failed where, and nothing of whose machine it was."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sysconfig
from contextlib import suppress
from pathlib import Path

from bench.paths import PACKAGE

_FILE_LINE = re.compile(r'(?<=File ")[^"\n]+(?=")')
_NAMES = ("USER", "LOGNAME", "USERNAME", "HOSTNAME")
_SHORTEST_VALUE = 8
"""Shorter values of environment variables (1, C, true, xterm) are words of the text itself."""


def clean_traceback(text: str) -> str:
    """`text` without home paths, user and host names, and values of environment variables.

    Files of packages, of the standard library and of this checkout become relative to where these
    stand, any other file keeps its name alone. Cleaning twice changes nothing more.
    """
    text = _FILE_LINE.sub(lambda match: _short(match[0]), text)
    for folder, name in _folders():
        text = re.sub(re.escape(folder) + r"(?![\w.-])", name, text)
    for value, name in _values():
        text = re.sub(_whole(value), name, text)
    return text


def _short(path: str) -> str:
    if not Path(path).is_absolute():
        return path
    if found := re.search(r"[/\\](?:site|dist)-packages[/\\](.+)", path):
        return found[1]
    for root in (PACKAGE.parent, Path(sysconfig.get_path("stdlib"))):
        if Path(path).is_relative_to(root):
            return str(Path(path).relative_to(root))
    return Path(path).name


def _folders() -> list[tuple[str, str]]:
    """Folders that a message may name, the longest first: one may lie inside another."""
    home = Path.home()
    folders = {str(PACKAGE.parent): ".", str(home): "~", os.path.realpath(home): "~"}
    return sorted(((path, name) for path, name in folders.items() if len(path) > 1), key=_longest)


def _values() -> list[tuple[str, str]]:
    values = {
        value: f"<{name}>"
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST_VALUE or (name in _NAMES and len(value) > 1)
    }
    values.setdefault(socket.gethostname(), "<host>")
    with suppress(OSError, KeyError):  # a user id without a name
        values.setdefault(getpass.getuser(), "<user>")
    return sorted(values.items(), key=_longest)


def _whole(value: str) -> str:
    """Matches `value` where it is not a part of a longer word."""
    before = r"(?<!\w)" if re.match(r"\w", value) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", value) else ""
    return before + re.escape(value) + after


def _longest(pair: tuple[str, str]) -> int:
    return -len(pair[0])
