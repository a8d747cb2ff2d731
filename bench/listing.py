"""What there is to choose from, for `bench list`: read from files, so that it answers at once."""

from __future__ import annotations

from math import inf
from typing import Any

from bench import discovery
from bench.paths import CONF
from bench.planning.config_files import options
from bench.settings import describe

LISTS = {
    "tasks": "task",
    "architectures": "architecture",
    "mitigations": "mitigation",
    "optimizers": "optimizer",
    "experiments": "experiment",
    "claims": "claim",
}


def entries(kind: str) -> list[dict[str, Any]]:
    """One for each of a kind of LISTS, in the order of their names: plain data, fit for JSON."""
    if LISTS[kind] in discovery.KINDS:
        return [_member(member) for member in discovery.members(LISTS[kind]).values()]
    return [
        {"name": name, "summary": summary, "reference": "", "settings": []}
        for name, summary in options(CONF, LISTS[kind]).items()
    ]


def _member(member: discovery.Member) -> dict[str, Any]:
    defaults = {
        name: repr(value) if value in (inf, -inf) else value
        for name, value in discovery.defaults(member.kind, member.name).items()
    }
    return {
        "name": member.name,
        "summary": member.summary,
        "reference": member.reference,
        "settings": [
            {"name": name, "type": describe(annotation), "default": defaults.get(name)}
            for name, annotation in member.schema.items()
        ],
        **member.facts,
    }
