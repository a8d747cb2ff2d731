"""Loss and gradient norm over the updates, and the cells of a panel with their curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.bands import Band
from bench.reporting.curves import CellCurves, Gap, read_curves
from bench.reporting.figures.line_page import LinePage, PanelRow
from bench.reporting.pages.panels import Place, Styles, cut_names
from bench.reporting.summaries import CellSummary, chance_level


@dataclass(frozen=True)
class PanelCells:
    """The cells of one panel, each with its place; what a page of lines is cut from."""

    name: str
    summaries: Mapping[Place, CellSummary]
    curves: Mapping[Place, CellCurves]


def read_panel(name: str, summaries: Sequence[CellSummary], gaps: list[Gap]) -> PanelCells:
    """Reads the curves of all runs of the panel."""
    cells = {(one.cell.architecture, one.cell.mitigation): one for one in summaries if one.num_runs}
    curves = {place: read_curves(summary.cell) for place, summary in cells.items()}
    gaps += [
        Gap(summary.cell, reason)
        for place, summary in cells.items()
        for reason in curves[place].gaps
    ]
    return PanelCells(name, cells, curves)


def curve_pages(panel: PanelCells, styles: Styles) -> list[LinePage]:
    """Loss above gradient norm; none where nothing was recorded."""
    pages = [
        LinePage(
            title=panel.name,
            columns=architectures,
            rows=[
                PanelRow(
                    quantity="training loss",
                    panels=bands(panel, "loss", architectures, mitigations),
                    references=[_chance_loss(panel, name) for name in architectures],
                    ceiling=_explosion_bound(panel),
                ),
                PanelRow(
                    quantity="gradient norm",
                    panels=bands(panel, "gradient_norm", architectures, mitigations),
                ),
            ],
            x_label="update",
            x_is_logarithmic=True,
            styles=styles,
            reference_name="chance level",
        )
        for architectures, mitigations in cut_names(panel.summaries)
    ]
    return [page for page in pages if shows_something(page)]


def bands(
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


def shows_something(page: LinePage) -> bool:
    return any(panel for row in page.rows for panel in row.panels)


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
