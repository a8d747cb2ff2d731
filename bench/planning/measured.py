"""What scripts/costs.py measured of every member here: costs.json, which also feeds the catalogue.

Costs are of one update, as multiples of the same update without the member, at the sizes that the
file names, for each kind of inputs that the member can meet. Members from outside are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import discovery
from bench.records import MemberSpec

FILE = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Measured:
    """The cost of a member, and on what it was measured."""

    time: float  # of an update, as a multiple of one without the member
    before: float  # time that passes before the first update, in updates without the member
    task: MemberSpec
    architecture: MemberSpec
    plain: MemberSpec  # the architecture that it was compared with; mostly the same


@cache
def measured(kind: str, name: str, inputs: str) -> Measured | None:
    """Of a member that meets `inputs` ("sequence" or "vector"): where it was measured on the other
    kind alone, that; None where it was not measured."""
    found: Mapping[str, Any] = _file()[kind].get(name, {})
    if not found:
        return None
    cost = found.get(inputs) or next(iter(found.values()))
    return Measured(
        cost["time"],
        cost.get("before", 0.0),
        _member("task", cost["task"]),
        _member("architecture", cost["architecture"]),
        _member("architecture", cost["plain"]),
    )


@cache
def _file() -> Any:
    return json.loads(FILE.read_text())


def _member(kind: str, name: str) -> MemberSpec:
    """At its defaults, but for the sizes at which costs are measured."""
    sizes = _file()["sizes"][kind]
    settings = discovery.defaults(kind, name)
    return MemberSpec(name, settings | {key: sizes[key] for key in settings if key in sizes})
