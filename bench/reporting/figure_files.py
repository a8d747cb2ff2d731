"""The report's figures, drawn one after another, as the content of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import TypeVar

from bench.reporting.analysis import Analysis
from bench.reporting.cells import distinct
from bench.reporting.curves import MIN_RUNS_FOR_BAND, Gap, read_curves
from bench.reporting.drawing import Content, Page, draw_all
from bench.reporting.endings import STOPPED_MARK, some_were_stopped
from bench.reporting.figure_pages import (
    PanelCells,
    by_panel,
    curve_pages,
    flow_pages,
    matrix_pages,
    slugs,
)
from bench.reporting.figures.line_page import LinePage
from bench.reporting.figures.style import line_styles
from bench.reporting.summaries import CellSummary

AnyPage = TypeVar("AnyPage")

OUTCOMES, CURVES, FLOW = "outcomes", "loss_and_gradient_norm", "gradient_flow"
_MEDIAN = (
    "median over seeds with its quartiles, or, with fewer than "
    f"{MIN_RUNS_FOR_BAND} seeds, every run as a thin line"
)
_CAPTIONS = {
    OUTCOMES: (
        "Outcomes by mitigation and architecture: the share of runs that diverged as colour, and "
        "the counts in words."
    ),
    CURVES: (
        "Training loss (mean since the point before) and gradient norm before any clip (largest "
        f"since the point before): {_MEDIAN}. A run that diverged is drawn up to its end by a thin "
        "line with a cross, and counts as worse than any number from there on. In the grey strip: "
        "not finite, or beyond the scale; on the bottom edge: zero."
    ),
    FLOW: (
        "Norm of the gradient of the loss with respect to the hidden state, at the first update "
        f"that was probed: {_MEDIAN}. In the grey strip: not finite; on the bottom edge: zero."
    ),
}
_STOPPED = f" {STOPPED_MARK} solved runs were stopped: diverged before solving."


@dataclass(frozen=True)
class DrawnFigure:
    kind: str  # OUTCOMES, CURVES or FLOW
    name: str  # of the file, without its suffix
    title: str
    caption: str  # the same for all of one kind
    files: Content


@dataclass(frozen=True)
class _Sheet:
    """A figure that is to be drawn."""

    kind: str
    name: str
    title: str
    page: Page


def drawn_figures(found: Analysis, gaps: list[Gap], processes: int) -> Iterator[DrawnFigure]:
    """Reads what a figure shows when it is its turn, and adds what cannot be drawn to `gaps`."""
    captions = _CAPTIONS | {
        OUTCOMES: _CAPTIONS[OUTCOMES] + (_STOPPED if some_were_stopped(found.summaries) else "")
    }
    sheets, pages = tee(_sheets(found.summaries, gaps))
    contents = draw_all((sheet.page for sheet in pages), processes)
    for sheet, content in zip(sheets, contents, strict=True):
        caption = captions[sheet.kind]
        yield DrawnFigure(sheet.kind, sheet.name, sheet.title, caption, content)


def _sheets(summaries: Sequence[CellSummary], gaps: list[Gap]) -> Iterator[_Sheet]:
    styles = line_styles(distinct(summary.cell.mitigation for summary in summaries))
    for name, page in _named(OUTCOMES, matrix_pages(summaries)):
        yield _Sheet(OUTCOMES, name, "Outcomes", page)
    panels = dict(by_panel(summaries))
    for panel_name, file_name in slugs(panels).items():
        panel = _read(panel_name, panels[panel_name], gaps)
        for kind, pages in ((CURVES, curve_pages), (FLOW, flow_pages)):
            shown = [page for page in pages(panel, styles) if _shows_something(page)]
            for name, line_page in _named(f"{kind}_{file_name}", shown):
                yield _Sheet(kind, name, panel_name, line_page)


def _read(name: str, summaries: Sequence[CellSummary], gaps: list[Gap]) -> PanelCells:
    cells = {(one.cell.architecture, one.cell.mitigation): one for one in summaries if one.num_runs}
    curves = {place: read_curves(summary.cell) for place, summary in cells.items()}
    gaps += [
        Gap(summary.cell, reason)
        for place, summary in cells.items()
        for reason in curves[place].gaps
    ]
    return PanelCells(name, cells, curves)


def _shows_something(page: LinePage) -> bool:
    return any(panel for row in page.rows for panel in row.panels)


def _named(name: str, pages: Sequence[AnyPage]) -> list[tuple[str, AnyPage]]:
    """NAME alone, or NAME_1, NAME_2, ... where there are several pages."""
    if len(pages) == 1:
        return [(name, pages[0])]
    return [(f"{name}_{number}", page) for number, page in enumerate(pages, start=1)]
