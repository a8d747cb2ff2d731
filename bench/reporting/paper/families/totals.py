"""Runs over many cells: all of them, those of one method, those of one method in one block family.

`total.solved` is "702/1,408"; `method.clip_norm.diverged.percent` is "3". Counts alone: what they
say of a method is tested by the pooled comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.records import Outcome, RunRecord
from bench.reporting.cells import Cell
from bench.reporting.pairs import diverged, solved
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import slug

_KINDS = (
    ("solved", "solved the task", solved),
    ("diverged", "diverged", diverged),
    ("frozen", "froze", lambda run: run.outcome is Outcome.FROZEN),
    ("completed", "neither diverged nor froze", lambda run: run.outcome is Outcome.COMPLETED),
)


def macros(material: Material) -> Iterator[Macro]:
    cells = material.found.cells
    yield from _counts("total", cells, "all runs")
    for label in dict.fromkeys(cell.mitigation for cell in cells):
        ours = [cell for cell in cells if cell.mitigation == label]
        yield from _counts(f"method.{slug(label)}", ours, f"all runs with {label}")
        for architecture in dict.fromkeys(cell.architecture for cell in ours):
            name = f"method.{slug(label)}.{slug(architecture)}"
            those = [cell for cell in ours if cell.architecture == architecture]
            yield from _counts(name, those, f"all runs with {label} of {architecture}")


def _counts(name: str, cells: Sequence[Cell], whose: str) -> Iterator[Macro]:
    runs: list[RunRecord] = [run for cell in cells for run in cell.results]
    if not runs:
        return
    behind = ids(runs)
    for outcome, verb, happened in _KINDS:
        count = sum(map(happened, runs))
        text = f"{numbers.whole(count)}/{numbers.whole(len(runs))}"
        percent = numbers.percent(count / len(runs))
        yield Macro(f"{name}.{outcome}", text, f"of {whose}: {verb}", behind)
        yield Macro(f"{name}.{outcome}.count", numbers.whole(count), f"of {whose}: {verb}", behind)
        yield Macro(
            f"{name}.{outcome}.percent", percent, f"of {whose}: {verb}, in per cent", behind
        )
