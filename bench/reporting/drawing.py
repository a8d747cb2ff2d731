"""From pages to the content of their files, in several processes where there are many pages.

A figure takes a second, nearly all of it Matplotlib's, and depends on its page alone.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import Any, TypeAlias

from matplotlib.figure import Figure

from bench.execution.interrupts import no_interrupts
from bench.reporting.figures.cost_benefit_page import CostBenefitPage, draw_cost_benefit_page
from bench.reporting.figures.incidence_page import IncidencePage, draw_incidence_page
from bench.reporting.figures.length_page import LengthPage, draw_length_page
from bench.reporting.figures.line_page import LinePage, draw_line_page
from bench.reporting.figures.matrix_page import MatrixPage, draw_matrix_page
from bench.reporting.figures.profile_page import ProfilePage, draw_profile_page
from bench.reporting.figures.saving import FORMATS, encode
from bench.reporting.figures.style import drawing_style
from bench.reporting.figures.threshold_map_page import ThresholdMapPage, draw_threshold_map_page
from bench.reporting.figures.window_page import WindowPage, draw_window_page

Page: TypeAlias = (
    LinePage
    | MatrixPage
    | LengthPage
    | IncidencePage
    | ProfilePage
    | WindowPage
    | CostBenefitPage
    | ThresholdMapPage
)
DRAWN_BY: Mapping[type, Callable[[Any], Figure]] = {
    LinePage: draw_line_page,
    MatrixPage: draw_matrix_page,
    LengthPage: draw_length_page,
    IncidencePage: draw_incidence_page,
    ProfilePage: draw_profile_page,
    WindowPage: draw_window_page,
    CostBenefitPage: draw_cost_benefit_page,
    ThresholdMapPage: draw_threshold_map_page,
}
Content: TypeAlias = Mapping[str, bytes]
"""One of FORMATS -> content."""

FEW_PAGES = 10
"""Up to so many are drawn here: a process takes two seconds to load Matplotlib."""


def figure_of(page: Page) -> Figure:
    """To be called under `drawing_style`."""
    return DRAWN_BY[type(page)](page)


def draw(page: Page, formats: Sequence[str] = FORMATS) -> Content:
    """`formats` are some of FORMATS."""
    with drawing_style():
        figure = figure_of(page)
        return {suffix: encode(figure, suffix) for suffix in formats}


def draw_all(
    pages: Iterable[Page], processes: int, formats: Sequence[str] = FORMATS
) -> Iterator[Content]:
    """In the order of `pages`, of which no more are asked for than are being drawn."""
    pages = iter(pages)
    first = list(islice(pages, FEW_PAGES + 1))
    if processes == 1 or len(first) <= FEW_PAGES:
        yield from (draw(page, formats) for page in chain(first, pages))
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    waiting: deque[tuple[Page, Future[Content] | None]] = deque()
    try:
        for page in chain(first, pages):
            waiting.append((page, _submit(pool, page, formats)))
            if len(waiting) > 2 * processes:
                yield _content(*waiting.popleft(), formats)
        while waiting:
            yield _content(*waiting.popleft(), formats)
    finally:  # after ctrl-C nobody waits for pages that are not begun
        pool.shutdown(cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, page: Page, formats: Sequence[str]
) -> Future[Content] | None:
    try:
        with no_interrupts():
            return pool.submit(draw, page, formats)
    except BrokenProcessPool:
        return None


def _content(page: Page, future: Future[Content] | None, formats: Sequence[str]) -> Content:
    """Drawn here where its process was killed, for want of memory perhaps."""
    try:
        return draw(page, formats) if future is None else future.result()
    except BrokenProcessPool:
        return draw(page, formats)
