"""`${key}`: the value of another key of the config, as in OmegaConf."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bench.planning.plain_data import shown
from bench.records import BadInput

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def resolve(values: Mapping[str, Any], where: Callable[[str], str]) -> dict[str, Any]:
    """`values` (dotted key -> value) with every reference replaced by what it refers to.

    Raises BadInput for a reference to nothing, to itself, or to a list: the lists of two keys vary
    independently, and one would expect them to go together.
    """

    def follow(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [follow(entry, path) for entry in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        found = {key: look_up(key, path) for key in _REFERENCE.findall(value)}
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return found[whole.group(1)]
        return _REFERENCE.sub(lambda match: shown(found[match.group(1)]), value)

    def look_up(key: str, path: tuple[str, ...]) -> Any:
        begin = f"{where(path[0])}={shown(values[path[0]])}: ${{{key}}}"
        if key not in values:
            raise BadInput(f"{begin} is no key of this config")
        if key in path:
            raise BadInput(f"{begin} refers to itself")
        if isinstance(values[key], list):
            raise BadInput(f"{begin} has several values; write out what you mean")
        return follow(values[key], (*path, key))

    return {key: follow(value, (key,)) for key, value in values.items()}
