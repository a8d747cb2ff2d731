"""The learning-rate window: which rates a method stands, at settings that stay the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from bench.records import Outcome, RunRecord
from bench.reporting.analysis import Analysis
from bench.reporting.cells import Cell
from bench.reporting.curves import Gap
from bench.reporting.figures.share_plot import ShareLine
from bench.reporting.figures.window_page import WindowLine, WindowPage
from bench.reporting.pages.panels import Place, Styles, cut, title, without
from bench.reporting.pairs import diverged, lacks_metric
from bench.reporting.summaries import chance_level
from bench.reporting.sweeps import MIN_RATES, Sweep
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import clopper_pearson
from bench.stats.ranks import Spread, spread

_LOST = (Outcome.DIVERGED, Outcome.FROZEN)


def window_pages(found: Analysis, styles: Styles, gaps: list[Gap]) -> Iterator[WindowPage]:
    """One or more for each task with a sweep of learning rates."""
    together: dict[str, dict[Place, Sweep]] = {}
    for sweep in found.sweeps:
        problem = _problem(sweep)
        if problem:
            gaps.append(Gap(sweep.cell, f"learning-rate window: {problem}"))
        else:
            place = (sweep.cell.architecture, sweep.cell.mitigation)
            together.setdefault(_name(sweep.cell), {})[place] = sweep
    for name, swept in together.items():
        gaps += _not_swept(found.cells, name, swept)
        runs = [run for sweep in swept.values() for some in sweep.results for run in some]
        for columns, panels in cut({place: _line(sweep) for place, sweep in swept.items()}):
            higher = bool(runs[0].facts["higher_is_better"])
            yield WindowPage(
                title=name,
                columns=columns,
                panels=panels,
                metric=f"test {runs[0].facts['metric']}".replace("_", " "),
                metric_is_logarithmic=not higher and _is_positive(runs),
                higher_is_better=higher,
                chance=chance_level(runs, "chance_metric"),
                stable=_stable(swept.values()),
                styles=styles,
            )


def widest_window(rates: Sequence[float], is_stable: Sequence[bool]) -> tuple[float, float] | None:
    """The lowest and the highest rate of the widest stretch of neighbouring stable rates, in
    decades; of stretches of one width the lower. `rates` rise. None where no rate is stable."""
    stretches = [
        [rate for rate, _ in stretch]
        for stable, stretch in groupby(zip(rates, is_stable, strict=True), lambda pair: pair[1])
        if stable
    ]
    if not stretches:
        return None
    # Rates of a sweep are rounded: two stretches of one width may differ in the last digits.
    widest = max(stretches, key=lambda some: (round(math.log10(some[-1] / some[0]), 2), -some[0]))
    return widest[0], widest[-1]


def _line(sweep: Sweep) -> WindowLine:
    survived = [sum(run.outcome not in _LOST for run in runs) for runs in sweep.results]
    totals = [len(runs) for runs in sweep.results]
    return WindowLine(
        survived=ShareLine(np.array(sweep.rates), list(map(clopper_pearson, survived, totals))),
        metrics=[_spread(runs) for runs in sweep.results],
        window=widest_window(sweep.rates, [*map(int.__eq__, survived, totals)]),
    )


def _spread(runs: Sequence[RunRecord]) -> Spread | NotEstimable:
    return spread(
        np.array([run.scores.get("test_metric", math.nan) for run in runs]),
        np.array([diverged(run) for run in runs], dtype=bool),
        higher_is_better=bool(runs[0].facts["higher_is_better"]),
    )


def _stable(swept: Iterable[Sweep]) -> str:
    counts = {len(runs) for sweep in swept for runs in sweep.results}
    return f"all {counts.pop()} runs survive" if len(counts) == 1 else "all runs survive"


def _is_positive(runs: Iterable[RunRecord]) -> bool:
    """Whether a logarithmic axis has room for every number there is."""
    return all(run.scores.get("test_metric", 1.0) > 0 or diverged(run) for run in runs)


def _problem(sweep: Sweep) -> str:
    runs = [run for some in sweep.results for run in some]
    lacking = sum("higher_is_better" not in run.facts or lacks_metric(run) for run in runs)
    return f"{lacking} of {len(runs)} runs hold no test metric" if lacking else ""


def _name(cell: Cell) -> str:
    return title(cell, optimizer=without(cell.optimizer, "lr"))


def _not_swept(cells: Sequence[Cell], name: str, swept: Iterable[Place]) -> Iterator[Gap]:
    """The cells of a page's task that have no sweep although others have."""
    places = set(swept)
    for cell in cells:
        if _name(cell) == name and (cell.architecture, cell.mitigation) not in places:
            yield Gap(cell, f"learning-rate window: results at fewer than {MIN_RATES} rates")
