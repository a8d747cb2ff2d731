"""Names for cells: a member's name, and of its settings exactly those that vary in the report.

adding (length=200) | rnn_tanh | orthogonal+clip_norm (threshold=1) | sgd (lr=0.1)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import TypeAlias

from bench.records import MemberSpec, RunSpec, Setting

MEMBER_FIELDS = ("task", "architecture", "mitigation", "optimizer", "seed")
RUN_FIELDS = tuple(field.name for field in fields(RunSpec) if field.name not in MEMBER_FIELDS)

Part: TypeAlias = tuple[bool, float, str]


class Labels:
    """Built on all specifications of the report, because what is worth showing depends on them."""

    def __init__(
        self, specs: Iterable[RunSpec], hidden: Collection[tuple[str, str, str]] = ()
    ) -> None:
        """`hidden`: settings (kind, member, name) that no label shows."""
        specs = list(specs)
        self._varying = {
            (kind, member): [name for name in names if (kind, member, name) not in hidden]
            for (kind, member), names in _varying_settings(specs).items()
        }
        self._run_fields = {task: _varying_run_fields(specs, task) for task in _task_names(specs)}

    def member(self, kind: str, member: MemberSpec) -> str:
        shown = ", ".join(
            f"{name}={setting_text(member.settings[name])}"
            for name in self._varying[kind, member.name]
            if name in member.settings
        )
        return f"{member.name} ({shown})" if shown else member.name

    def mitigation(self, spec: RunSpec) -> str:
        return "+".join(self.member("mitigation", member) for member in spec.mitigation)

    def conditions(self, spec: RunSpec) -> str:
        """The settings of the run itself that vary among runs of its task: "dtype=float64"."""
        return ", ".join(
            f"{name}={setting_text(getattr(spec, name))}"
            for name in self._run_fields[spec.task.name]
        )


def setting_text(value: Setting) -> str:
    """Short, and different for different values: 200, 0.01, 1, inf, true, tanh."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def sort_key(label: str) -> tuple[Part, ...]:
    """Numbers inside a label by size (length=100 before 1000); the untreated baseline first."""
    parts = re.split(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)", label)
    numbered = tuple(
        (True, float(part), "") if index % 2 else (False, 0.0, part)
        for index, part in enumerate(parts)
    )
    return ((False, -1.0, ""), *numbered) if label == "none" else numbered


def _varying_settings(specs: list[RunSpec]) -> dict[tuple[str, str], list[str]]:
    seen: dict[tuple[str, str], dict[str, MemberSpec]] = {}
    for spec in specs:
        for kind, member in spec.members:
            known = seen.setdefault((kind, member.name), {})
            known.setdefault(repr(sorted(member.settings.items())), member)
    return {key: _differing(list(known.values())) for key, known in seen.items()}


def _differing(members: list[MemberSpec]) -> list[str]:
    names = sorted({name for member in members for name in member.settings})
    return [
        name for name in names if len({repr(member.settings.get(name)) for member in members}) > 1
    ]


def _task_names(specs: list[RunSpec]) -> set[str]:
    return {spec.task.name for spec in specs}


def _varying_run_fields(specs: list[RunSpec], task: str) -> list[str]:
    ours = [spec for spec in specs if spec.task.name == task]
    return [name for name in RUN_FIELDS if len({getattr(spec, name) for spec in ours}) > 1]
