"""How long it took: the restricted mean of the updates to solve, and what a success costs.

`pooled.clip_norm.time.difference` is in per cent of the budget, negative where it solves sooner.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from bench.reporting import wording
from bench.reporting.pairs import beside_control
from bench.reporting.paper import numbers
from bench.reporting.paper.families.pooled import runs_of_pairs
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import cell_name, in_words, slug
from bench.reporting.times import CellTimes, ComparedTimes, compared_times, times_of
from bench.stats.estimates import Estimate, NotEstimable
from bench.stats.running_time import PairedDifference, RestrictedMean, RunningTime

_MEAN = "restricted mean of the updates to solve, in per cent of the budget"


def macros(material: Material) -> Iterator[Macro]:
    beside = beside_control(material.found.cells)
    for compared in compared_times(material.found.cells):
        yield from _compared(compared, runs_of_pairs(beside[compared.mitigation]))
    for cell in material.found.cells:
        if cell.results:
            yield from _cell(times_of(cell))


def _compared(found: ComparedTimes, behind: tuple[str, ...]) -> Iterator[Macro]:
    effect, interval = _difference(found.difference)
    for key, text, meaning in (
        ("mean", _percent(found.mean), f"{_MEAN}: with it"),
        ("mean_of_none", _percent(found.mean_of_none), f"{_MEAN}: with none"),
        ("difference", effect, f"{_MEAN}: with it less with none"),
        ("difference.interval", interval, f"95 % interval of: {_MEAN}, with it less with none"),
        ("p", _p(found.p), f"p, raw: {_MEAN}"),
        ("p_adjusted", _p(found.p_adjusted), f"p, adjusted by Holm: {_MEAN}"),
        ("p_adjusted_relation", _relation(found.p_adjusted), "the same, to stand behind a p"),
    ):
        name = f"pooled.{slug(found.mitigation)}.time.{key}"
        yield Macro(name, text, f"{meaning}: {found.mitigation}, over blocks", behind)


def _cell(times: CellTimes) -> Iterator[Macro]:
    cell = times.cell
    name, where, behind = cell_name(cell), in_words(cell), ids(cell.results)
    for key, text, meaning in (
        ("restricted_mean", _mean(times.restricted_mean), "restricted mean of updates to solve"),
        ("running_time", _spent(times.running_time), "updates of all runs for each that solved"),
    ):
        yield Macro(f"{name}.{key}", text, f"{meaning} [95 % interval]: {where}", behind)


def _difference(found: PairedDifference | NotEstimable) -> tuple[str, str]:
    """And its interval."""
    if isinstance(found, NotEstimable):
        return numbers.NOT_ESTIMABLE, numbers.NOT_ESTIMABLE
    return wording.points(found.mean), _points(found.interval)


def _mean(found: RestrictedMean | NotEstimable) -> str:
    if isinstance(found, NotEstimable):
        return numbers.NOT_ESTIMABLE
    return _steps(found.mean, found.interval)


def _spent(found: RunningTime | NotEstimable) -> str:
    if isinstance(found, NotEstimable):
        return numbers.NOT_ESTIMABLE
    return _steps(found.steps, found.interval)


def _steps(value: float, interval: Sequence[float]) -> str:
    """ "985 [450, 2,600]", "985 [450, no limit]", or "none solved, >4,100"."""
    low, high = (numbers.decimals(end, 0) if math.isfinite(end) else "no limit" for end in interval)
    if math.isinf(value):
        return f"none solved, >{low}"
    return f"{numbers.decimals(value, 0)} {numbers.interval(low, high)}"


def _points(interval: tuple[float, float] | NotEstimable) -> str:
    if isinstance(interval, NotEstimable):
        return numbers.NOT_ESTIMABLE
    return numbers.interval(*map(wording.points, interval))


def _percent(value: Estimate) -> str:
    return numbers.NOT_ESTIMABLE if isinstance(value, NotEstimable) else numbers.percent(value)


def _p(p: Estimate) -> str:
    return numbers.NOT_ESTIMABLE if isinstance(p, NotEstimable) else wording.probability(p)


def _relation(p: Estimate) -> str:
    return numbers.NOT_ESTIMABLE if isinstance(p, NotEstimable) else numbers.p_relation(p)
