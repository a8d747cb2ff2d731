"""From pages to the content of their files, in several processes where there are many pages.

A figure takes a second, nearly all of it Matplotlib's, and depends on its page alone.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TypeAlias

from bench.execution.interrupts import no_interrupts
from bench.reporting.figures.line_page import LinePage, draw_line_page
from bench.reporting.figures.matrix_page import MatrixPage, draw_matrix_page
from bench.reporting.figures.saving import FORMATS, encode
from bench.reporting.figures.style import drawing_style

Page: TypeAlias = LinePage | MatrixPage
Content: TypeAlias = Mapping[str, bytes]
"""One of FORMATS -> content."""

FEW_PAGES = 10
"""Up to so many are drawn here: a process takes two seconds to load Matplotlib."""


def draw(page: Page) -> Content:
    with drawing_style():
        figure = draw_line_page(page) if isinstance(page, LinePage) else draw_matrix_page(page)
        return {suffix: encode(figure, suffix) for suffix in FORMATS}


def draw_all(pages: Iterable[Page], processes: int) -> Iterator[Content]:
    """In the order of `pages`, of which no more are asked for than are being drawn."""
    pages = iter(pages)
    first = list(islice(pages, FEW_PAGES + 1))
    if processes == 1 or len(first) <= FEW_PAGES:
        yield from map(draw, chain(first, pages))
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    waiting: deque[tuple[Page, Future[Content] | None]] = deque()
    try:
        for page in chain(first, pages):
            waiting.append((page, _submit(pool, page)))
            if len(waiting) > 2 * processes:
                yield _content(*waiting.popleft())
        while waiting:
            yield _content(*waiting.popleft())
    finally:  # after ctrl-C nobody waits for pages that are not begun
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, page: Page) -> Future[Content] | None:
    try:
        with no_interrupts():
            return pool.submit(draw, page)
    except BrokenProcessPool:
        return None


def _content(page: Page, future: Future[Content] | None) -> Content:
    """Drawn here where its process was killed, for want of memory perhaps."""
    try:
        return draw(page) if future is None else future.result()
    except BrokenProcessPool:
        return draw(page)
