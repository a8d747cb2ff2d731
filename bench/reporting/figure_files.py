"""The report's figures, drawn one after another, as the content of their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from matplotlib.figure import Figure

from bench.reporting.cells import distinct
from bench.reporting.curves import Gap, read_curves
from bench.reporting.figure_pages import (
    PanelCells,
    by_panel,
    curve_pages,
    flow_pages,
    matrix_pages,
    slugs,
)
from bench.reporting.figures.line_page import LinePage, draw_line_page
from bench.reporting.figures.matrix_page import draw_matrix_page
from bench.reporting.figures.saving import FORMATS, encode
from bench.reporting.figures.style import LineStyle, drawing_style, line_styles
from bench.reporting.summaries import CellSummary

OUTCOMES, CURVES, FLOW = "outcomes", "loss_and_gradient_norm", "gradient_flow"
CAPTIONS = {
    OUTCOMES: (
        "Outcomes by mitigation and architecture: the share of runs that diverged as colour, and "
        "the counts in words."
    ),
    CURVES: (
        "Training loss (mean since the point before) and gradient norm before any clip (largest "
        "since the point before): median over seeds with its quartiles, or the extremes with fewer "
        "than 4 seeds. A run that diverged is drawn up to its end by a thin line with a cross, and "
        "counts as worse than any number from there on. In the grey strip: not finite, or beyond "
        "the scale; on the bottom edge: zero."
    ),
    FLOW: (
        "Norm of the gradient of the loss with respect to the hidden state, at the first update "
        "that was probed: median over seeds with its quartiles, or the extremes with fewer than 4 "
        "seeds. In the grey strip: not finite; on the bottom edge: zero."
    ),
}


Page = TypeVar("Page")


@dataclass(frozen=True)
class DrawnFigure:
    kind: str  # one of CAPTIONS
    name: str  # of the file, without its suffix
    title: str
    files: Mapping[str, bytes]  # one of FORMATS -> content


def drawn_figures(summaries: Sequence[CellSummary], gaps: list[Gap]) -> Iterator[DrawnFigure]:
    """Draws a figure when it is asked for, and adds what cannot be drawn to `gaps`."""
    styles = line_styles(distinct(summary.cell.mitigation for summary in summaries))
    with drawing_style():
        matrices = [draw_matrix_page(page) for page in matrix_pages(summaries)]
        for name, figure in _named(OUTCOMES, matrices):
            yield DrawnFigure(OUTCOMES, name, "Outcomes", _encoded(figure))
        panels = dict(by_panel(summaries))
        for panel_name, file_name in slugs(panels).items():
            panel = _read(panel_name, panels[panel_name], gaps)
            yield from _line_figures(panel, file_name, styles)


def _read(name: str, summaries: Sequence[CellSummary], gaps: list[Gap]) -> PanelCells:
    cells = {(one.cell.architecture, one.cell.mitigation): one for one in summaries if one.num_runs}
    curves = {place: read_curves(summary.cell) for place, summary in cells.items()}
    gaps += [
        Gap(summary.cell, reason)
        for place, summary in cells.items()
        for reason in curves[place].gaps
    ]
    return PanelCells(name, cells, curves)


def _line_figures(
    panel: PanelCells, file_name: str, styles: Mapping[str, LineStyle]
) -> Iterator[DrawnFigure]:
    for kind, pages in (
        (CURVES, curve_pages(panel, styles)),
        (FLOW, flow_pages(panel, styles)),
    ):
        shown = [page for page in pages if _shows_something(page)]
        for name, page in _named(f"{kind}_{file_name}", shown):
            yield DrawnFigure(kind, name, panel.name, _encoded(draw_line_page(page)))


def _encoded(figure: Figure) -> dict[str, bytes]:
    return {suffix: encode(figure, suffix) for suffix in FORMATS}


def _shows_something(page: LinePage) -> bool:
    return any(panel for row in page.rows for panel in row.panels)


def _named(name: str, pages: Sequence[Page]) -> list[tuple[str, Page]]:
    """NAME alone, or NAME_1, NAME_2, ... where there are several pages."""
    if len(pages) == 1:
        return [(name, pages[0])]
    return [(f"{name}_{number}", page) for number, page in enumerate(pages, start=1)]
