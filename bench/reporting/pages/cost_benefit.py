"""What a mitigation costs, and what it changes: each cell against that without one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.records import RunRecord
from bench.reporting.analysis import Analysis
from bench.reporting.cells import Cell
from bench.reporting.curves import Gap
from bench.reporting.figures.cost_benefit_page import CostBenefit, CostBenefitPage
from bench.reporting.figures.panel_grid import runs_text
from bench.reporting.pages.panels import Styles, by_panel, cut
from bench.reporting.pairs import beside_control, runs_of, seeds_of
from bench.stats.equivalence import Equivalence, ratio_within
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar

MIN_SHARE = 0.1
"""Of its budget a run must have done, or its updates are too few to be timed: what it takes to
start, and to evaluate the dead network at the end, would count as their cost."""
_ANY_FACTOR = 2.0  # the estimate and its interval are the same for every margin


@dataclass(frozen=True)
class _Point:
    """What is drawn, and of how many seeds."""

    drawn: CostBenefit
    num_timed: int
    num_pairs: int


def cost_benefit_pages(
    found: Analysis, styles: Styles, gaps: list[Gap]
) -> Iterator[CostBenefitPage]:
    """One or more for each panel with a control; none where no run was timed."""
    solved = {one.cell.cell_id: one.solved for one in found.compared.in_cells}
    pairs = {
        cell.cell_id: (cell, control)
        for beside in beside_control(found.cells).values()
        for cell, control in beside
        if _is_timed(cell) and _is_timed(control)
    }
    for name, summaries in by_panel(found.summaries):
        points = {}
        for cell, control in [pairs[i] for one in summaries if (i := one.cell.cell_id) in pairs]:
            point = _point(solved[cell.cell_id], time_ratio(cell, control))
            if isinstance(point, NotEstimable):
                gaps.append(Gap(cell, f"cost and benefit: {point.reason}"))
            else:
                points[cell.architecture, cell.mitigation] = point
        for columns, panels in cut(points):
            yield CostBenefitPage(
                title=name,
                columns=columns,
                panels=[{one: point.drawn for one, point in panel.items()} for panel in panels],
                benefit="solved",
                note=_note([point for panel in panels for point in panel.values()], found),
                styles=styles,
            )


def time_ratio(cell: Cell, control: Cell) -> Equivalence | NotEstimable:
    """Of the CPU time of an update: the median over shared seeds of with / without, and its 95 %
    interval. Both runs of a seed must have been timed over MIN_SHARE of their budget."""
    seeds = seeds_of([cell, control])
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(runs_of(cell, seeds), runs_of(control, seeds), strict=True)
        if ours is not None and theirs is not None and _is_long(ours) and _is_long(theirs)
    ]
    if not pairs:
        return NotEstimable(
            f"of no seed did both runs, with and without, do {100 * MIN_SHARE:g} % of their updates"
        )
    times = np.array([[run.cpu_seconds / run.steps_done for run in pair] for pair in pairs])
    return ratio_within(_ANY_FACTOR, times[:, 0], times[:, 1], alpha=0.025)


def _point(
    change: McNemar | NotEstimable, ratio: Equivalence | NotEstimable
) -> _Point | NotEstimable:
    if isinstance(change, NotEstimable):
        return change
    if isinstance(ratio, NotEstimable):
        return ratio
    is_bounded = ratio.low > 0 and math.isfinite(ratio.high)
    drawn = CostBenefit(
        time_ratio=ratio.estimate,
        time_interval=(ratio.low, ratio.high)
        if is_bounded
        else NotEstimable(f"{ratio.num_pairs} pairs are too few for an interval"),
        change=change.difference,
        change_interval=(change.low, change.high),
    )
    return _Point(drawn, ratio.num_pairs, change.num_pairs)


def _note(points: Sequence[_Point], found: Analysis) -> str:
    pairs, timed = [point.num_pairs for point in points], [point.num_timed for point in points]
    seeds = f"{runs_text(pairs, 'pairs')} of runs with the same seed"
    if pairs != timed:
        seeds += f", {runs_text(timed, 'of them')} long enough to be timed"
    machine = next((line for line in found.made_with if line.startswith("processor: ")), "")
    return "; ".join(filter(None, [seeds, "bars: 95\u00a0% intervals", machine]))


def _is_timed(cell: Cell) -> bool:
    return any(run.cpu_seconds > 0 for run in cell.results)


def _is_long(run: RunRecord) -> bool:
    return run.cpu_seconds > 0 and run.steps_done >= MIN_SHARE * run.spec.steps
