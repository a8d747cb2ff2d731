"""docs/catalogue.md from the members' docstrings, YAMLs and costs: `make catalogue`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from bench import discovery
from bench.listing import LISTS, entries
from bench.planning.measured import FILE as COSTS
from bench.planning.plain_data import shown
from bench.reporting.formats import markdown_text

DOCS = Path(__file__).parents[1] / "docs"
FILE = DOCS / "catalogue.md"
KINDS = [name for name, kind in LISTS.items() if kind in discovery.KINDS]
HEADINGS = {"optimizers": "Optimisers"}
OPENING = """# Catalogue

Every task, architecture, mitigation and optimiser that is here. Written by `make catalogue` from
the members' own files: change those, not this page. Costs are of one update as multiples of the
same update without the member, at T = 100, 32 sequences and 64 units (50 layers for feed-forward
networks), from `scripts/costs.py` on {machine}."""


def main() -> None:
    FILE.write_text(text())


def text() -> str:
    costs = json.loads(COSTS.read_text())
    blocks = [OPENING.format(machine=costs["machine"]), *_contents()]
    for kind in KINDS:
        blocks.append(f"## {_heading(kind)}")
        for entry in entries(kind):
            member = discovery.member(LISTS[kind], entry["name"])
            blocks += _entry(entry, member, costs.get(member.kind, {}).get(member.name, {}))
    return "\n\n".join(blocks) + "\n"


def _heading(kind: str) -> str:
    return HEADINGS.get(kind, kind.capitalize())


def _contents() -> Iterator[str]:
    yield "\n".join(
        f"- [{_heading(kind)}](#{_heading(kind).lower()}): "
        + ", ".join(f"[{entry['name']}](#{entry['name']})" for entry in entries(kind))
        for kind in KINDS
    )


def _entry(
    entry: dict[str, Any], member: discovery.Member, costs: Mapping[str, dict[str, Any]]
) -> Iterator[str]:
    yield f"### {member.name}"
    yield from _paragraphs(member.doc)
    facts = [*_settings(entry), *_facts(entry), *_costs(costs, member)]
    if facts:
        yield "\n".join(f"- {fact}" for fact in facts)


def _paragraphs(doc: str) -> Iterator[str]:
    """What is indented or set in columns stays as it is."""
    for paragraph in doc.split("\n\n"):
        lines = paragraph.splitlines()
        if any(line.startswith("    ") or "  " in line.strip() for line in lines):
            yield "\n".join(["```text", *dedent(paragraph).splitlines(), "```"])
        else:
            yield markdown_text(paragraph).replace("\\`", "`")


def _settings(entry: dict[str, Any]) -> Iterator[str]:
    for each in entry["settings"]:
        yield f"`{each['name']}` = {shown(each['default'])}: {each['type']}"


def _facts(entry: dict[str, Any]) -> Iterator[str]:
    if "needs" in entry:
        where = ", ".join(entry["architectures"]) if entry["needs"] else "every architecture"
        on = f"; on the tasks {', '.join(entry['tasks'])}" if entry["tasks"] else ""
        needed = f" (needs {', '.join(entry['needs'])})" if entry["needs"] else ""
        yield f"Acts on {where}{on}{needed}"
        if entry["not_with"]:
            yield f"Not together with {', '.join(entry['not_with'])}"
        yield f"With a gradient that is not finite: {entry['nonfinite']}"
    for condition, why in entry.get("requires", {}).items():
        yield f"Requires `{condition}`: {markdown_text(why)}"
    if entry.get("provides"):
        yield f"Provides {', '.join(entry['provides'])}"
    yield "The same bits on every processor" if entry["portable"] else "Bits differ by processor"


def _costs(costs: Mapping[str, dict[str, Any]], member: discovery.Member) -> Iterator[str]:
    """One line for each kind of inputs on which the member was measured."""
    for cost in costs.values():
        than = {"mitigation": f"none, {cost['plain']}", "architecture": cost["plain"]}
        plain = than.get(member.kind, f"sgd, {cost['plain']}")
        multiples = f"{cost['time']:.2f} x the time, {cost['memory']:.2f} x the memory"
        before = (
            f"; {cost['before']:.0f} updates' time before the first" if cost["before"] >= 10 else ""
        )
        yield f"Cost: {multiples} of {plain} on {cost['task']}{before}"


if __name__ == "__main__":
    main()
