"""When runs solve and when they diverge, each the other's competing event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.records import RunRecord
from bench.reporting.analysis import Analysis
from bench.reporting.curves import Gap
from bench.reporting.figures.incidence_page import IncidencePage, SolvedAndDiverged
from bench.reporting.pages.panels import Styles, by_panel, cut
from bench.reporting.times import events_of
from bench.stats.estimates import NotEstimable
from bench.stats.incidence import Cause, cumulative_incidence


def incidence_pages(
    found: Analysis,
    styles: Styles,
    gaps: list[Gap],  # noqa: ARG001
) -> Iterator[IncidencePage]:
    """One or more for each panel with a result."""
    for name, summaries in by_panel(found.summaries):
        curves = {
            (one.cell.architecture, one.cell.mitigation): both
            for one in summaries
            if (both := solved_and_diverged(one.cell.results)) is not None
        }
        for columns, panels in cut(curves):
            yield IncidencePage(name, columns, panels, styles)


def solved_and_diverged(runs: Sequence[RunRecord]) -> SolvedAndDiverged | None:
    """Over the updates; None without a run. A frozen run has neither event for the rest."""
    events = events_of(runs)
    solved, diverged = (
        cumulative_incidence(events, cause) for cause in (Cause.SOLVED, Cause.DIVERGED)
    )
    if isinstance(solved, NotEstimable) or isinstance(diverged, NotEstimable):
        return None
    return SolvedAndDiverged(solved, diverged)
