"""What a function of pages is asked with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from bench.records import RunRecord
from bench.reporting.analysis import Analysis, analyse
from bench.reporting.cells import distinct
from bench.reporting.curves import Gap
from bench.reporting.figures.style import line_styles
from bench.reporting.pages.panels import Styles
from tests.reporting.made_up import Stored, stored

AnyPage = TypeVar("AnyPage")
Ask = Callable[[Analysis, Styles, list[Gap]], Iterable[AnyPage]]


def asked(
    pages: Ask[AnyPage], runs: Iterable[RunRecord], **provenance: Any
) -> tuple[list[AnyPage], list[tuple[str, str]]]:
    """The pages, and (mitigation, reason) of each gap."""
    kept = [Stored(one.record, one.status, provenance) for one in stored(runs)]
    found = analyse(kept)
    gaps: list[Gap] = []
    styles = line_styles(distinct(cell.mitigation for cell in found.cells))
    made = list(pages(found, styles, gaps))
    return made, [(gap.cell.mitigation, gap.reason) for gap in gaps]
