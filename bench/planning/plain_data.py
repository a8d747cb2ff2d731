"""What a config may hold: plain data, from which no code and nothing of the machine can be reached.

Hydra instantiates what stands under `_target_`, and OmegaConf calls functions for `${name:...}`.
Neither happens here, and neither is let in: not in a file, not on the command line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.plain_text import one_line
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
    """Refuses every interpolation but that of another key, `${length}`, and a missing value."""
    if text == "???":
        raise BadInput(f"{where}: ??? stands for a value that is missing; give one")
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
            finite = ", finite" if _is_infinite(value) and "inf allowed" not in allowed else ""
            raise BadInput(f"{where}={shown(value)}: must be {allowed}{finite}") from error
        if isinstance(value, str) and _is_number(value):
            raise BadInput(f"{where}='{value}': {_why_text(value)}; must be {allowed}") from error
        raise BadInput(one_line(str(error), 300)) from error


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isprintable()


def _why_text(number: str) -> str:
    if re.fullmatch(r"[-+]?0[0-9]+", number):
        return f"begins with 0, so it is a text; write {int(number)}"
    return "is a text; a number stands without quotes, as 100, 0.5 or 1e-3"


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
