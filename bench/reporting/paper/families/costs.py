"""What a mitigation costs: CPU time of an update, as a multiple of that without one.

`cost.lstm.omega.ratio` is the median over the blocks with that architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from bench.records import RunRecord
from bench.reporting.cells import Cell
from bench.reporting.cost_table import Cost, costs
from bench.reporting.pairs import CONTROL, beside_control
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, distinct_ids, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import cell_name, in_words, slug

_HOW = "CPU time of an update / that with none"


def macros(material: Material) -> Iterator[Macro]:
    found = [cost for cost in costs(material.found.summaries) if cost.update is not None]
    controls = {
        pair[0].cell_id: pair[1]
        for pairs in beside_control(material.found.cells).values()
        for pair in pairs
    }
    for cost in found:
        yield from _cell(cost, controls)
    others = [cost for cost in found if cost.summary.cell.mitigation != CONTROL]
    for label in dict.fromkeys(cost.summary.cell.mitigation for cost in others):
        ours = [cost for cost in others if cost.summary.cell.mitigation == label]
        for architecture in dict.fromkeys(cost.summary.cell.architecture for cost in ours):
            name = f"cost.{slug(architecture)}.{slug(label)}"
            those = [cost for cost in ours if cost.summary.cell.architecture == architecture]
            yield from _ratios(name, those, f"{label}, {architecture}", controls)
        yield from _ratios(f"cost.{slug(label)}", ours, label, controls)


def _runs(cost: Cost, controls: Mapping[str, Cell]) -> list[RunRecord]:
    """Its own and those that it is compared with."""
    cell = cost.summary.cell
    control = controls.get(cell.cell_id)
    return [*cell.results, *(control.results if control else ())]


def _cell(cost: Cost, controls: Mapping[str, Cell]) -> Iterator[Macro]:
    cell = cost.summary.cell
    name, where, behind = cell_name(cell), in_words(cell), ids(cell.results)
    assert cost.update is not None
    milliseconds = numbers.decimals(cost.update, 2)
    yield Macro(f"{name}.cost.milliseconds", milliseconds, f"CPU ms of an update: {where}", behind)
    ratio = numbers.known(cost.over_control, numbers.decimals(cost.over_control or 0, 2))
    both = ids(_runs(cost, controls))
    yield Macro(f"{name}.cost.ratio", ratio, f"{_HOW}: {where}", both)


def _ratios(
    name: str, found: Sequence[Cost], who: str, controls: Mapping[str, Cell]
) -> Iterator[Macro]:
    ratios = [cost.over_control for cost in found if cost.over_control is not None]
    if not ratios:
        return
    behind = distinct_ids(ids(run for cost in found for run in _runs(cost, controls)))
    blocks = f"{who}, blocks: {len(ratios)}"
    middle, low, high = (
        numbers.decimals(value, 2) for value in (median(ratios), min(ratios), max(ratios))
    )
    yield Macro(f"{name}.ratio", middle, f"{_HOW}, median over blocks: {blocks}", behind)
    yield Macro(
        f"{name}.range", f"{low} to {high}", f"{_HOW}, least and most of a block: {blocks}", behind
    )
