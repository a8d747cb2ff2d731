"""Which figures a report has, and what stands on each page: facets first, then more pages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np

from bench.reporting.bands import Band
from bench.reporting.cells import distinct
from bench.reporting.curves import CellCurves
from bench.reporting.endings import short_endings
from bench.reporting.figures.line_page import MAX_PANELS, LinePage, PanelRow
from bench.reporting.figures.matrix_page import MAX_ROWS, MatrixPage, MatrixPanel, max_columns
from bench.reporting.figures.matrix_page import pages as pack
from bench.reporting.figures.style import BASELINE_NAME, MAX_LINES, LineStyle
from bench.reporting.summaries import CellSummary, chance_level

_MAX_SLUG = 150  # characters; file systems take 255 for the whole name

Place: TypeAlias = tuple[str, str]
"""(architecture, mitigation)"""


@dataclass(frozen=True)
class PanelCells:
    """The cells of one panel, each with its place; what a page of lines is cut from."""

    name: str
    summaries: Mapping[Place, CellSummary]
    curves: Mapping[Place, CellCurves]

    @property
    def architectures(self) -> list[str]:
        return distinct(architecture for architecture, _ in self.summaries)

    @property
    def mitigations(self) -> list[str]:
        return distinct(mitigation for _, mitigation in self.summaries)


def by_panel(summaries: Sequence[CellSummary]) -> Iterator[tuple[str, list[CellSummary]]]:
    """The report's cells are ordered by panel already."""
    for name, group in groupby(summaries, lambda summary: summary.cell.panel):
        yield name, list(group)


def chunks(names: Sequence[str], size: int) -> list[list[str]]:
    """In turn, as even in length as they can be: 8 by 7 gives 4 and 4."""
    num = max(1, math.ceil(len(names) / size))
    each = max(1, math.ceil(len(names) / num))
    return [list(names[start : start + each]) for start in range(0, len(names), each)]


def curve_pages(panel: PanelCells, styles: Mapping[str, LineStyle]) -> list[LinePage]:
    """Loss above gradient norm, over the updates."""
    return [
        LinePage(
            title=panel.name,
            columns=architectures,
            rows=[
                PanelRow(
                    quantity="training loss",
                    panels=_bands(panel, "loss", architectures, mitigations),
                    references=[_chance_loss(panel, name) for name in architectures],
                    ceiling=_explosion_bound(panel),
                ),
                PanelRow(
                    quantity="gradient norm",
                    panels=_bands(panel, "gradient_norm", architectures, mitigations),
                ),
            ],
            x_label="update",
            x_is_logarithmic=True,
            styles=styles,
            reference_name="chance level",
        )
        for architectures, mitigations in _cut(panel)
    ]


def flow_pages(panel: PanelCells, styles: Mapping[str, LineStyle]) -> list[LinePage]:
    """|dL/dh| against position, at the first update that was probed."""
    return [
        LinePage(
            title=panel.name,
            columns=architectures,
            rows=[
                PanelRow(
                    quantity="‖∂L / ∂h‖",
                    panels=_bands(panel, "flow", architectures, mitigations),
                )
            ],
            x_label="position: time step, or layer of a feed-forward network",
            x_is_logarithmic=False,
            styles=styles,
        )
        for architectures, mitigations in _cut(panel)
    ]


def matrix_pages(summaries: Sequence[CellSummary]) -> list[MatrixPage]:
    """Mitigation by architecture, one panel a task; rows are the same in all panels of a page."""
    mitigations = distinct(summary.cell.mitigation for summary in summaries)
    panels = []
    for rows in chunks(mitigations, MAX_ROWS):
        for name, members in by_panel(summaries):
            architectures = distinct(summary.cell.architecture for summary in members)
            for columns in chunks(architectures, max_columns(rows, architectures)):
                panels.append(_matrix_panel(name, members, rows, columns))
    return pack(panels)


def _matrix_panel(
    name: str, summaries: Sequence[CellSummary], rows: Sequence[str], columns: Sequence[str]
) -> MatrixPanel:
    shares = np.full((len(rows), len(columns)), np.nan)
    texts = [["not run" for _ in columns] for _ in rows]
    for summary in summaries:
        cell = summary.cell
        if cell.mitigation in rows and cell.architecture in columns:
            row, column = rows.index(cell.mitigation), columns.index(cell.architecture)
            shares[row, column] = (
                summary.num_diverged / summary.num_runs if summary.num_runs else np.nan
            )
            texts[row][column] = short_endings(summary)
    return MatrixPanel(name, rows, columns, shares, texts)


def _bands(
    panel: PanelCells, name: str, architectures: Sequence[str], mitigations: Sequence[str]
) -> list[dict[str, Band]]:
    """[architectures], mitigation -> band, for the cells that recorded it."""
    return [
        {
            mitigation: band
            for mitigation in mitigations
            if (curves := panel.curves.get((architecture, mitigation)))
            and (band := getattr(curves, name)) is not None
        }
        for architecture in architectures
    ]


def _chance_loss(panel: PanelCells, architecture: str) -> float | None:
    runs = [
        run
        for (column, _), summary in panel.summaries.items()
        if column == architecture
        for run in summary.cell.results
    ]
    return chance_level(runs, "chance_loss")


def _explosion_bound(panel: PanelCells) -> float:
    """Beyond it a loss counts as exploded, and how far beyond would only squeeze the rest."""
    bounds = [
        float(run.facts["explosion_bound"])
        for summary in panel.summaries.values()
        for run in summary.cell.results
        if "explosion_bound" in run.facts
    ]
    return max(bounds, default=math.inf)


def slugs(labels: Iterable[str]) -> dict[str, str]:
    """Each label as part of a file name that LaTeX takes too, different for different labels."""
    found: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")[:_MAX_SLUG]
        same = sum(other.rpartition("--")[0] == plain or other == plain for other in found.values())
        found[label] = f"{plain}--{same + 1}" if same else plain
    return found


def _cut(panel: PanelCells) -> Iterator[tuple[list[str], list[str]]]:
    """(architectures, mitigations) of each page; the baseline is on every one."""
    others = [name for name in panel.mitigations if name != BASELINE_NAME]
    for architectures in chunks(panel.architectures, MAX_PANELS):
        for mitigations in chunks(others, MAX_LINES) or [[]]:
            yield architectures, [BASELINE_NAME, *mitigations]
