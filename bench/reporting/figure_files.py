"""The report's figures, drawn one after another, as the content of their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import TypeAlias

from bench.reporting.analysis import Analysis
from bench.reporting.cells import distinct
from bench.reporting.curves import Gap
from bench.reporting.drawing import Content, Page, draw_all
from bench.reporting.endings import STOPPED_MARK, some_were_stopped
from bench.reporting.figures.matrix_page import MatrixPage
from bench.reporting.figures.style import line_styles
from bench.reporting.pages.cost_benefit import cost_benefit_pages
from bench.reporting.pages.curves import curve_pages, read_panel
from bench.reporting.pages.flow import flow_pages
from bench.reporting.pages.incidence import incidence_pages
from bench.reporting.pages.kinds import CAPTIONS, HEADINGS, Kind
from bench.reporting.pages.length import length_pages
from bench.reporting.pages.matrix import matrix_pages
from bench.reporting.pages.panels import Styles, by_panel
from bench.reporting.pages.profile import profile_pages
from bench.reporting.pages.threshold_map import threshold_map_pages
from bench.reporting.pages.window import window_pages

Pages: TypeAlias = Callable[[Analysis, Styles, list[Gap]], Iterable[Page]]

_PAGES: Mapping[Kind, Pages] = {
    Kind.OUTCOMES: matrix_pages,
    Kind.LENGTH: length_pages,
    Kind.INCIDENCE: incidence_pages,
    Kind.PROFILE: profile_pages,
    Kind.WINDOW: window_pages,
    Kind.THRESHOLDS: threshold_map_pages,
    Kind.COST_BENEFIT: cost_benefit_pages,
}
_FROM_CURVES = {Kind.CURVES: curve_pages, Kind.FLOW: flow_pages}
_MAX_SLUG = 150  # characters; file systems take 255 for the whole name
_WITH_DIVERGED = (Kind.OUTCOMES, Kind.LENGTH)
_STOPPED = f" {STOPPED_MARK} solved runs were stopped: diverged before solving."


@dataclass(frozen=True)
class DrawnFigure:
    kind: Kind
    name: str  # of the file, without its suffix
    title: str
    caption: str  # the same for all of one kind
    files: Content


@dataclass(frozen=True)
class Sheet:
    """A figure that is to be drawn."""

    kind: Kind
    name: str  # of its file, without suffix: different for different figures
    title: str
    page: Page


def drawn_figures(found: Analysis, gaps: list[Gap], processes: int) -> Iterator[DrawnFigure]:
    """Reads what a figure shows when it is its turn, and adds what cannot be drawn to `gaps`."""
    to_draw, pages = tee(sheets(found, gaps))
    contents = draw_all((sheet.page for sheet in pages), processes)
    for sheet, content in zip(to_draw, contents, strict=True):
        yield DrawnFigure(sheet.kind, sheet.name, sheet.title, caption(sheet.kind, found), content)


def caption(kind: Kind, found: Analysis) -> str:
    """What all figures of the kind show, and how to read them."""
    is_stopped = kind in _WITH_DIVERGED and some_were_stopped(found.summaries)
    return CAPTIONS[kind] + (_STOPPED if is_stopped else "")


def sheets(
    found: Analysis, gaps: list[Gap], kinds: Collection[Kind] = tuple(Kind)
) -> Iterator[Sheet]:
    """Every figure of these kinds that the runs carry; what they should carry and do not is added
    to `gaps`. The curves of a panel are read when it is its turn, once for all kinds."""
    styles = line_styles(distinct(cell.mitigation for cell in found.cells))
    for kind, pages in _PAGES.items():
        if kind in kinds:
            yield from _sheets(kind, list(pages(found, styles, gaps)))
    if not _FROM_CURVES.keys() & set(kinds):
        return
    panels = dict(by_panel(found.summaries))
    file_names = slugs(panels)
    for name, summaries in panels.items():
        panel = read_panel(name, summaries, gaps)
        for kind, pages_of in _FROM_CURVES.items():
            if kind in kinds:
                yield from _named(kind, f"{kind}_{file_names[name]}", name, pages_of(panel, styles))


def slugs(labels: Iterable[str]) -> dict[str, str]:
    """Each label as part of a file name that LaTeX takes too, different for different labels."""
    found: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")[:_MAX_SLUG]
        same = sum(other.rpartition("--")[0] == plain or other == plain for other in found.values())
        found[label] = f"{plain}--{same + 1}" if same else plain
    return found


def _sheets(kind: Kind, pages: Sequence[Page]) -> Iterator[Sheet]:
    """Pages of one title are numbered."""
    by_title: dict[str, list[Page]] = {}
    for page in pages:
        by_title.setdefault("" if isinstance(page, MatrixPage) else page.title, []).append(page)
    file_names = slugs(by_title)
    for title, same in by_title.items():
        name = f"{kind}_{file_names[title]}" if title else str(kind)
        yield from _named(kind, name, title or HEADINGS[kind], same)


def _named(kind: Kind, name: str, title: str, pages: Sequence[Page]) -> Iterator[Sheet]:
    """NAME alone, or NAME_1, NAME_2, ... where there are several pages."""
    for number, page in enumerate(pages, start=1):
        yield Sheet(kind, name if len(pages) == 1 else f"{name}_{number}", title, page)
