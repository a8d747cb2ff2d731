"""What there is to choose from, for `bench list`: read from files, so that it answers at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from bench import discovery, plugins
from bench.paths import CONF
from bench.plain_text import one_line
from bench.planning.config_files import options
from bench.planning.plain_data import shown
from bench.planning.selection import provided
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
        {"name": one_line(name), "summary": summary, "reference": "", "settings": []}
        for name, summary in options(CONF, LISTS[kind]).items()
    ]


def unreadable(kind: str) -> list[str]:
    """What is installed and cannot be listed, a line for each."""
    member = LISTS[kind]
    files = discovery.unreadable(member).values() if member in discovery.KINDS else ()
    return [*files, *plugins.orphans()]


def in_words(found: Sequence[Mapping[str, Any]]) -> str:
    """A line for each entry, and one below it for each of its settings: default, type and range."""
    width = max((len(entry["name"]) for entry in found), default=0)
    lines = []
    for entry in found:
        lines.append(f"{entry['name']:<{width}}  {entry['summary']}".rstrip())
        told = [f"{each['name']}={shown(each['default'])}" for each in entry["settings"]]
        longest = max(map(len, told), default=0)
        lines += [
            f"{'':<{width}}    {words:<{longest}}  {each['type']}"
            for words, each in zip(told, entry["settings"], strict=True)
        ]
        lines += [f"{'':<{width}}    {words}" for words in _combines(entry)]
    return "\n".join(lines)


def _combines(entry: Mapping[str, Any]) -> Iterator[str]:
    """What a mitigation acts on, unless it is everything, and what it excludes."""
    if entry.get("needs"):
        yield f"acts on {', '.join(entry['architectures']) or 'nothing that there is'}"
        if entry["tasks"]:
            yield f"on the tasks {', '.join(entry['tasks'])}"
    for condition, why in entry.get("requires", {}).items():
        yield f"requires {condition}: {why}"
    if entry.get("not_with"):
        yield f"not together with {', '.join(entry['not_with'])}"


def _member(member: discovery.Member) -> dict[str, Any]:
    defaults = {
        name: repr(value) if value in (inf, -inf) else value
        for name, value in discovery.defaults(member.kind, member.name).items()
    }
    return {
        "name": one_line(member.name),
        "summary": member.summary,
        "reference": member.reference,
        "settings": [
            {"name": name, "type": describe(annotation), "default": defaults.get(name)}
            for name, annotation in member.schema.items()
        ],
        **member.facts,
        **(_combinations(member) if member.kind == "mitigation" else {}),
    }


def _combinations(member: discovery.Member) -> dict[str, list[str]]:
    """With which architectures and, where it needs something of them, tasks a mitigation can be
    combined, and with which mitigations it cannot."""
    needs, claims = set(member.facts.get("needs", ())), set(member.facts.get("claims", ()))
    of_tasks = needs & provided(*discovery.members("task").values())
    return {
        "architectures": _providing("architecture", needs - of_tasks),
        "tasks": _providing("task", of_tasks) if of_tasks else [],
        "not_with": [
            name
            for name, other in discovery.members("mitigation").items()
            if name != member.name and claims & set(other.facts.get("claims", ())) - {"alone"}
        ],
    }


def _providing(kind: str, needs: set[str]) -> list[str]:
    return [name for name, each in discovery.members(kind).items() if needs <= provided(each)]
