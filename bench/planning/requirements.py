"""The cells in which every member finds what it requires of the others (bench/conditions.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench import conditions, discovery
from bench.conditions import Condition
from bench.planning.at_hand import data_set, size
from bench.planning.plain_data import shown
from bench.planning.selection import LeftOut
from bench.records import BadInput, MemberSpec, RunSpec


def which_can_work(specs: Sequence[RunSpec]) -> tuple[list[RunSpec], list[LeftOut]]:
    """Those that meet every condition, and what keeps the others from it; BadInput where none does.

    The data sets that the tasks read must be there.
    """
    found = []
    problems: dict[LeftOut, None] = {}
    for spec in specs:
        problem = unmet(spec)
        if problem is None:
            found.append(spec)
        else:
            problems[problem] = None
    if not found:
        first = next(iter(problems))
        raise BadInput(f"{first.what}: {first.reason}")
    return found, list(problems)


def unmet(spec: RunSpec) -> LeftOut | None:
    """The first condition of a member that the run does not meet.

    Raises BadInput for a condition that cannot be judged for what it is.
    """
    for kind, member in spec.members:
        for text, why in discovery.member(kind, member.name).facts.get("requires", {}).items():
            condition = conditions.read(text)
            values = dict(_values(spec, member, condition))
            try:
                holds = condition.holds(values)
            except TypeError as error:
                raise BadInput(f"{kind}={member.name}: requires {text}: {error}") from error
            if holds is False:
                reason = f"{why} ({member.name} requires {text})"
                return LeftOut(" ".join(_what(spec, kind, member, values)), reason)
    return None


def refuse_trials(specs: Sequence[RunSpec]) -> None:
    """Raises BadInput where a setting that is tried for a cell, which can work, cannot."""
    for spec in specs:
        problem = unmet(spec)
        if problem is not None:
            raise BadInput(
                f"{problem.what}: {problem.reason}; that is one of the settings tried, so give "
                "another or protocol=fixed"
            )


def _values(spec: RunSpec, member: MemberSpec, condition: Condition) -> Iterator[tuple[str, Any]]:
    """(name, value) of all names of a condition of `member` that there are in the run."""
    others = {kind: other.settings for kind, other in spec.members if kind != "mitigation"}
    for name in condition.names:
        kind, point, setting = name.partition(".")
        if name == "dataset.size":
            data = data_set(spec.task)
            if data:
                yield name, size(data)
        else:
            settings = others.get(kind, {}) if point else member.settings
            key = setting if point else name
            if key in settings:
                yield name, settings[key]


def _what(spec: RunSpec, kind: str, member: MemberSpec, values: dict[str, Any]) -> Iterator[str]:
    """The member, and the settings that do not suit it as they would be typed."""
    names = {other: found.name for other, found in spec.members}
    if all("." in name for name in values):
        yield f"{kind}={member.name}"
    for name, value in values.items():
        other, point, setting = name.partition(".")
        if other == "dataset":
            yield f"({data_set(spec.task)}: {value:,})"
        elif point:
            yield f"{other}.{names[other]}.{setting}={shown(value)}"
        else:
            yield f"{kind}.{member.name}.{name}={shown(value)}"
