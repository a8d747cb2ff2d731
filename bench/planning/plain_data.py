"""What a config may hold: plain data, from which no code and nothing of the machine can be reached.

Hydra instantiates what stands under `_target_`, and OmegaConf calls functions for `${name:...}`.
Neither happens here, and neither is let in: not in a file, not on the command line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.records import BadInput, Setting
from bench.settings import check, describe

LARGEST_WHOLE = 2**53
"""Up to here a float, and so every reader of JSON, holds each whole number exactly."""

_OTHER_KEY = re.compile(r"\$\{\w[\w.]*\}")


def check_key(key: str, where: str) -> None:
    """Refuses the keys that mean something to Hydra or OmegaConf."""
    if any(part.startswith("_") for part in key.split(".")):
        raise BadInput(
            f"{where}: keys that begin with _ are refused: a config is plain data and runs no code"
        )


def check_text(text: str, where: str) -> None:
    """Refuses every interpolation but that of another key, `${length}`."""
    if "${" in _OTHER_KEY.sub("", text):
        raise BadInput(
            f"{where}: {one_line(text)} is refused: a config is plain data; only ${{KEY}}, the "
            "value of another key, may be used"
        )


def flatten(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) for every value that is no mapping; an empty mapping is a value."""
    if isinstance(value, Mapping) and value:
        for name, entry in value.items():
            yield from flatten(f"{key}.{name}" if key else str(name), entry)
    else:
        yield key, value


def checked(value: Any, annotation: Any, where: str) -> Setting:
    """As bench.settings.check, for whatever YAML or a command line may hold.

    Raises BadInput that names `where`, the value and what is allowed.
    """
    allowed = describe(annotation)
    if value is None or isinstance(value, list | Mapping):
        raise BadInput(f"{where}={shown(value)}: must be {allowed}")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise BadInput(f"{where}={shown(value)}: must be {allowed}, and at most 2^53")
    if value in ("inf", "-inf", "nan") and allowed.startswith("a number"):
        value = float(value)  # YAML spells it .inf, but people do not
    try:
        return check(value, annotation, where)
    except BadInput as error:
        if isinstance(value, bool) or _is_infinite(value):
            must = f"{allowed}, finite" if _is_infinite(value) else allowed
            raise BadInput(f"{where}={shown(value)}: must be {must}") from error
        if isinstance(value, str) and _is_number(value):
            raise BadInput(f"{where}='{value}': is a text, in quotes; must be {allowed}") from error
        raise BadInput(one_line(str(error), 300)) from error


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shown(value: Any) -> str:
    """`value` as one would type it, cut to a readable length."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return one_line("[" + ",".join(map(shown, value)) + "]")
    if isinstance(value, Mapping):
        return one_line("{" + ",".join(f"{k}:{shown(v)}" for k, v in value.items()) + "}")
    return one_line(str(value))


def one_line(text: str, length: int = 100) -> str:
    """`text` without line breaks or control characters, cut to `length`."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= length else flat[: length - 3] + "..."
