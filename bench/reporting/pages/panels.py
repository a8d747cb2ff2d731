"""What the pages share: cells by panel, and points cut into pages: facets first, then more."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias, TypeVar

from bench.reporting.cells import Cell, distinct
from bench.reporting.figures.line_page import MAX_PANELS
from bench.reporting.figures.style import BASELINE_NAME, MAX_LINES, LineStyle
from bench.reporting.summaries import CellSummary

Point = TypeVar("Point")
Place: TypeAlias = tuple[str, str]
"""(architecture, mitigation)"""
Styles: TypeAlias = Mapping[str, LineStyle]
"""Mitigation -> its look, the same in all figures of a report, and the order of all legends."""


def by_panel(summaries: Sequence[CellSummary]) -> Iterator[tuple[str, list[CellSummary]]]:
    """The report's cells are ordered by panel already."""
    for name, group in groupby(summaries, lambda summary: summary.cell.panel):
        yield name, list(group)


def chunks(names: Sequence[str], size: int) -> list[list[str]]:
    """In turn, as even in length as they can be: 8 by 7 gives 4 and 4."""
    num = max(1, math.ceil(len(names) / size))
    each = max(1, math.ceil(len(names) / num))
    return [list(names[start : start + each]) for start in range(0, len(names), each)]


def cut_names(places: Iterable[Place]) -> Iterator[tuple[list[str], list[str]]]:
    """(architectures, mitigations) of each page; the baseline is on every one."""
    places = list(places)
    for architectures in chunks(distinct(one for one, _ in places), MAX_PANELS):
        others = {name for one, name in places if one in architectures} - {BASELINE_NAME}
        for mitigations in chunks(distinct(others), MAX_LINES) or [[]]:
            yield architectures, [BASELINE_NAME, *mitigations]


def cut(points: Mapping[Place, Point]) -> Iterator[tuple[list[str], list[dict[str, Point]]]]:
    """The architectures of each page and [architectures], mitigation -> point; an architecture
    without a point is left out."""
    for architectures, mitigations in cut_names(points):
        panels = {
            architecture: {
                mitigation: points[architecture, mitigation]
                for mitigation in mitigations
                if (architecture, mitigation) in points
            }
            for architecture in architectures
        }
        shown = {name: panel for name, panel in panels.items() if panel}
        yield list(shown), list(shown.values())


def without(label: str, setting: str) -> str:
    """`label` of a member, or of several joined by +, without the value of one setting."""
    shorter = re.sub(rf"(?<=[( ]){re.escape(setting)}=[^,)]*(?:, )?", "", label)
    return shorter.replace(" ()", "").replace(", )", ")")


def title(cell: Cell, *, task: str | None = None, optimizer: str | None = None) -> str:
    """Of a page about what `cell` shares with others, of which the task's and optimiser's labels
    may be shorter."""
    parts = (task or cell.task, optimizer or cell.optimizer, cell.conditions)
    return ", ".join(part for part in parts if part)
