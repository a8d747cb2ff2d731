"""Texts as they may be shown: no passwords; in a traceback, no sign of whose machine it was."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from bench.paths import PACKAGE

_FILE_LINE = re.compile(r'(?<=File ")[^"\n]+(?=")')
_NAMES = ("USER", "LOGNAME", "USERNAME", "HOSTNAME")
_SHORTEST_VALUE = 8
"""Shorter values of environment variables (1, C, true, xterm) are words of the text itself."""
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s'\"<>]*@")  # https://user:password@host
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 4


def without_credentials(text: str) -> str:
    """`text` without the passwords in addresses and the secrets of the environment."""
    secrets = {value: name for value, name in _secrets() if len(value) >= _SHORTEST_SECRET}
    return _without(_IN_ADDRESS.sub("", text), secrets)


def clean_traceback(text: str) -> str:
    """`text` without home paths, user and host names, and values of environment variables.

    Files of packages, of the standard library and of this checkout become relative to where these
    stand, any other file keeps its name alone. Cleaning twice changes nothing more.
    """
    text = _FILE_LINE.sub(lambda match: _short(match[0]), without_credentials(text))
    for folder, name in sorted(_folders().items(), key=_longest):
        text = re.sub(re.escape(folder) + r"(?![\w.-])", name, text)
    return _without(text, _values())


def _short(path: str) -> str:
    if not Path(path).is_absolute():
        return path
    if found := re.search(r"[/\\](?:site|dist)-packages[/\\](.+)", path):
        return found[1]
    for root in (PACKAGE.parent, Path(sysconfig.get_path("stdlib"))):
        if Path(path).is_relative_to(root):
            return str(Path(path).relative_to(root))
    return Path(path).name


def _folders() -> dict[str, str]:
    """Folders that a message may name -> what stands for them."""
    folders = {str(PACKAGE.parent): "."}
    # os.path: a user may have no home, and then pathlib's raises.
    home = os.path.expanduser("~")
    folders |= {home: "~", os.path.realpath(home): "~"} if os.path.isabs(home) else {}
    return {path: name for path, name in folders.items() if len(path) > 1}


def _values() -> dict[str, str]:
    values = {
        value: f"<{name}>"
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST_VALUE or (name in _NAMES and len(value) > 1)
    }
    values.setdefault(socket.gethostname(), "<host>")
    with suppress(OSError, KeyError):  # a user id without a name
        values.setdefault(getpass.getuser(), "<user>")
    return values


def _secrets() -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            yield value, f"<{name}>"
        for user in _IN_ADDRESS.findall(value):
            password = user[:-1].partition(":")[2]
            yield from ((secret, f"<{name}>") for secret in (password, unquote(password)))


def _without(text: str, values: dict[str, str]) -> str:
    """`text` with names for `values`; the longest first, for one may lie inside another."""
    for value, name in sorted(values.items(), key=_longest):
        text = name.join(re.split(_whole(value), text)) if value else text
    return text


def _whole(value: str) -> str:
    """Matches `value` where it is not a part of a longer word."""
    before = r"(?<!\w)" if re.match(r"\w", value) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", value) else ""
    return before + re.escape(value) + after


def _longest(pair: tuple[str, str]) -> int:
    return -len(pair[0])
