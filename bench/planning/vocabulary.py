"""The keys of a config, with the type and range of all that are no member's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bench import discovery
from bench.discovery import KINDS
from bench.records import BadInput
from bench.settings import Positive, PositiveInt, nearest

CHOICES = ("protocol", "executor", "logger", "experiment")
"""The groups of which one option is chosen; of KINDS any number are combined."""

KNOBS = ("length", "depth", "hidden_size", "batch_size", "lr", "steps")
"""Settings that many members share."""

RUN_SETTINGS: Mapping[str, Any] = {
    "dtype": Literal["float32", "float64"],
    "device": Literal["cpu"],
    "stop_on_solved": bool,
}

GROUP_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "protocol": {
        "evaluations": PositiveInt,
        "solved_checks": PositiveInt,
        "window": PositiveInt,
        "trials": PositiveInt,
        "tuning_seeds": PositiveInt,
        "sweep_rates": PositiveInt,
        "sweep_seeds": PositiveInt,
    },
    "executor": {"workers": PositiveInt, "timeout": Positive},
    "logger": {"mode": Literal["offline", "online"]},
}
"""Which of them an option has, its file says: by giving it a value, if only null."""

MAY_BE_NULL = frozenset(
    {"protocol.sweep_rates", "executor.workers", "executor.timeout", "logger.mode"}
)

OF_A_RUN = ("evaluations", "solved_checks", "window")
"""The settings of a protocol that every RunSpec holds; the others say how runs are chosen."""

_AT_THE_TOP = (*KNOBS, "seeds", *RUN_SETTINGS, "results")


def check_key_exists(key: str, where: str) -> None:
    """Raises BadInput, which begins with `where`, with the nearest key that there is."""
    group, *rest = key.split(".")
    if group in KINDS and rest:
        names = [rest[0]] if rest[0] in discovery.members(group) else discovery.members(group)
        known = candidates = [key for name in names for key in _member_keys(group, name)]
    elif group in GROUP_SETTINGS and rest:
        known = candidates = [f"{group}.{name}" for name in GROUP_SETTINGS[group]]
    else:
        known = [*_AT_THE_TOP, *(f"grid.{kind}" for kind in KINDS)]
        candidates = [*KINDS, *CHOICES, *_AT_THE_TOP]
    if key in KINDS or key in CHOICES:
        raise BadInput(
            f"{where}: names a group; a file selects members under grid, and a protocol, executor "
            "or logger in its defaults list"
        )
    if key not in known:
        hint = nearest(key, candidates) or "; there are: " + ", ".join(candidates)
        raise BadInput(f"{where}: there is no such key{hint}")


def _member_keys(kind: str, name: str) -> list[str]:
    return [f"{kind}.{name}.{setting}" for setting in discovery.members(kind)[name].schema]
