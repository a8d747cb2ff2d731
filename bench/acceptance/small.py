"""Runs that are over in a moment, of any members at their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench import datasets, discovery
from bench.discovery import Member
from bench.planning.at_hand import data_set
from bench.planning.requirements import unmet
from bench.planning.selection import provided
from bench.records import BadInput, MemberSpec, RunSpec
from bench.settings import check

SIZES: dict[str, dict[str, Any]] = {
    "task": {"length": 20, "batch_size": 8, "evaluation_size": 100, "steps": 12},
    "architecture": {"hidden_size": 12, "depth": 4},
}
"""Settings that make a run small, of those members that have them and allow the value."""


def small(kind: str, name: str, **settings: Any) -> MemberSpec:
    """A member at its defaults, made small; BadInput where a setting has no default."""
    found = discovery.member(kind, name)
    values = discovery.defaults(kind, name)
    for key, value in (SIZES.get(kind, {}) | settings).items():
        if key in found.schema and _allows(found, key, value):
            values[key] = value
    missing = [key for key in found.schema if key not in values]
    if missing:
        raise BadInput(f"{found.yaml}: {missing[0]} has no default; each setting needs one")
    return MemberSpec(
        name,
        {key: check(values[key], found.schema[key], f"{name}.{key}") for key in found.schema},
    )


def spec(
    task: str,
    architecture: str,
    mitigation: str = "none",
    optimizer: str = "sgd",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunSpec:
    """`settings` by kind, {"task": {"length": 60}}: of those members that have and allow them."""
    other = settings or {}
    return RunSpec(
        task=small("task", task, **other.get("task", {})),
        architecture=small("architecture", architecture, **other.get("architecture", {})),
        mitigation=tuple(small("mitigation", name) for name in mitigation.split("+")),
        optimizer=small("optimizer", optimizer, **other.get("optimizer", {})),
        seed=0,
    )


def fitting(
    *, task: str = "", architecture: str = "", mitigation: str = "none"
) -> Iterator[RunSpec]:
    """A small run for each pair of architecture and mitigation that fits: the first task in the
    order of PREFERRED that gives both what they need. A name that is given is kept to."""
    needs = set(discovery.member("mitigation", mitigation).facts.get("needs", ()))
    for found in _chosen("architecture", architecture):
        for on in _tasks(task):
            fits = found.facts.get("inputs") == on.facts.get("inputs")
            if not (fits and needs <= provided(on, found)):
                continue
            run = spec(on.name, found.name, mitigation)
            if unmet(run) is None:
                yield run
                break


PREFERRED = ("adding", "digits", "lorenz", "rnn_tanh", "lstm", "mlp")
"""Stand first among their kind."""


def _tasks(name: str) -> list[Member]:
    return [member for member in _chosen("task", name) if not missing_data(member)]


def missing_data(task: Member) -> str:
    """Why the data set of a task cannot be used; nothing where it can, or there is none."""
    name = data_set(MemberSpec(task.name, discovery.defaults("task", task.name)))
    return datasets.problem(name) if name else ""


def _chosen(kind: str, name: str) -> list[Member]:
    if name:
        return [discovery.member(kind, name)]
    return sorted(discovery.members(kind).values(), key=_rank)


def _rank(member: Member) -> int:
    return PREFERRED.index(member.name) if member.name in PREFERRED else len(PREFERRED)


def _allows(member: Member, key: str, value: Any) -> bool:
    try:
        check(value, member.schema[key], key)
    except BadInput:
        return False
    return True
