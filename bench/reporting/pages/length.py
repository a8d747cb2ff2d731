"""Solved and diverged against the length of the sequence, or the depth of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import discovery
from bench.records import BadInput, Outcome
from bench.reporting.analysis import Analysis
from bench.reporting.cells import Cell
from bench.reporting.curves import Gap
from bench.reporting.figures.length_page import LengthPage
from bench.reporting.figures.share_plot import ShareLine
from bench.reporting.pages.panels import Place, Styles, cut, title, without
from bench.reporting.summaries import CellSummary

_TIME, _DEPTH = "sequence length (time steps)", "depth (layers)"


@dataclass(frozen=True)
class _Scaled:
    """How long a cell is, and its labels without that."""

    kind: str  # _TIME or _DEPTH
    length: float
    task: str
    architecture: str


@dataclass(frozen=True)
class _Shares:
    solved: ShareLine
    diverged: ShareLine


def length_pages(
    found: Analysis,
    styles: Styles,
    gaps: list[Gap],  # noqa: ARG001
) -> Iterator[LengthPage]:
    """For what differs in its length, beside mitigation and architecture, and in nothing else."""
    together: dict[tuple[str, str], dict[Place, dict[float, CellSummary]]] = {}
    for summary in found.summaries:
        scaled = _scaled(summary.cell)
        if scaled is not None and summary.num_runs:
            page = (scaled.kind, title(summary.cell, task=scaled.task))
            place = (scaled.architecture, summary.cell.mitigation)
            lines = together.setdefault(page, {}).setdefault(place, {})
            lines[scaled.length] = summary
    for (kind, name), places in together.items():
        for columns, panels in cut(_lines(places)):
            yield LengthPage(
                title=name,
                columns=columns,
                solved=[{one: line.solved for one, line in panel.items()} for panel in panels],
                diverged=[{one: line.diverged for one, line in panel.items()} for panel in panels],
                styles=styles,
                x_label=kind,
            )


def _lines(places: Mapping[Place, Mapping[float, CellSummary]]) -> dict[Place, _Shares]:
    """Of the architectures that were tried at more than one length."""
    tried: dict[str, set[float]] = {}
    for (architecture, _), by_length in places.items():
        tried.setdefault(architecture, set()).update(by_length)
    return {
        place: _shares(by_length) for place, by_length in places.items() if len(tried[place[0]]) > 1
    }


def _shares(by_length: Mapping[float, CellSummary]) -> _Shares:
    lengths = sorted(by_length)
    x = np.array(lengths, dtype=np.float64)
    return _Shares(
        ShareLine(x, [by_length[length].solved for length in lengths]),
        ShareLine(x, [by_length[length].outcomes[Outcome.DIVERGED] for length in lengths]),
    )


def _scaled(cell: Cell) -> _Scaled | None:
    """None where nothing tells how long it is."""
    task, architecture = cell.spec.task, cell.spec.architecture
    if _facts("architecture", architecture.name).get("inputs") == "vector":
        depth = architecture.settings.get("depth")
        if depth is None:
            return None
        return _Scaled(_DEPTH, float(depth), cell.task, without(cell.architecture, "depth"))
    setting, unit = _facts("task", task.name).get("time_steps", ("length", 1))
    if setting not in task.settings:
        return None
    length = unit * float(task.settings[setting])
    return _Scaled(_TIME, length, without(cell.task, setting), cell.architecture)


def _facts(kind: str, name: str) -> Mapping[str, Any]:
    """None of a member of a plug-in that is no longer at hand."""
    try:
        return discovery.member(kind, name).facts
    except BadInput:
        return {}
