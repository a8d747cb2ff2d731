"""How much was run: runs by purpose, cells, blocks, seeds, methods, steps and CPU hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.planning.seeds import Purpose
from bench.reporting.cells import Cell, distinct
from bench.reporting.pairs import CONTROL, by_block
from bench.reporting.paper import numbers
from bench.reporting.paper.ledger import RunLine
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material

_OF_PURPOSE = {
    Purpose.EVALUATION: "runs on evaluation seeds, which alone are reported",
    Purpose.TUNING: "trials on tuning seeds, which chose the settings",
    Purpose.SWEEP: "runs of the sweep of learning rates",
}


def macros(material: Material) -> Iterator[Macro]:
    yield from _runs(material)
    yield from _amounts(material)
    yield from _members(material)


def _runs(material: Material) -> Iterator[Macro]:
    for purpose, meaning in _OF_PURPOSE.items():
        yield _count(f"runs.{purpose}", material.of(purpose), meaning)
    yield _count("runs.all", material.counted, "runs with a result, of every purpose")
    others = [run for run in material.runs if not run.is_current]
    yield _count("runs.not_counted", others, "runs that are stored and count nowhere")
    for status in ("stale", "failed"):
        of_status = [run for run in others if run.status == status]
        yield _count(f"runs.{status}", of_status, f"runs not counted since they are {status}")


def _count(name: str, runs: Sequence[RunLine], meaning: str) -> Macro:
    return Macro(name, numbers.whole(len(runs)), meaning, ids(runs))


def _amounts(material: Material) -> Iterator[Macro]:
    runs = material.counted
    steps, hours = sum(run.steps_done for run in runs), _hours(runs)
    yield Macro("steps.all", numbers.whole(steps), "updates of all runs together", ids(runs))
    yield Macro(
        "steps.millions", numbers.decimals(steps / 1e6, 1), "the same in millions", ids(runs)
    )
    yield Macro(
        "cpu_hours", numbers.decimals(hours, 1), "CPU hours of all runs together", ids(runs)
    )
    for purpose in Purpose:
        of_purpose = material.of(purpose)
        meaning = f"CPU hours of the {_OF_PURPOSE[purpose]}"
        text = numbers.decimals(_hours(of_purpose), 1)
        yield Macro(f"cpu_hours.{purpose}", text, meaning, ids(of_purpose))


def _hours(runs: Sequence[RunLine]) -> float:
    return sum(sorted(run.cpu_seconds for run in runs)) / 3600


@dataclass(frozen=True)
class _Kind:
    name: str
    meaning: str
    labels: Sequence[str]


def _members(material: Material) -> Iterator[Macro]:
    """How many, and their names, of the cells that have results."""
    cells = [cell for cell in material.found.cells if cell.results]
    behind = ids(run for cell in cells for run in cell.results)
    yield Macro("cells", numbers.whole(len(cells)), "cells with results", behind)
    yield Macro("blocks", numbers.whole(len(by_block(cells))), "blocks with results", behind)
    seeds = [len(cell.results) for cell in cells]
    if seeds:
        for name in ("seeds", "seeds.evaluation"):
            yield Macro(name, numbers.one_or_range(seeds), "evaluation seeds of a cell", behind)
    for kind in _kinds(cells):
        yield Macro(kind.name, numbers.whole(len(kind.labels)), kind.meaning, behind)
        listed = numbers.listed(kind.labels, none="none")
        yield Macro(f"{kind.name}.names", listed, f"{kind.meaning}: which", behind)


def _kinds(cells: Sequence[Cell]) -> list[_Kind]:
    specs = [cell.spec for cell in cells]
    methods = distinct(spec.mitigation_name for spec in specs)
    return [
        _Kind("tasks", "tasks", distinct(spec.task.name for spec in specs)),
        _Kind("panels", "tasks, at each of their sizes", distinct(cell.panel for cell in cells)),
        _Kind("architectures", "architectures", distinct(s.architecture.name for s in specs)),
        _Kind(
            "methods",
            f"mitigations, {CONTROL} not counted",
            [name for name in methods if name != CONTROL],
        ),
        _Kind("optimizers", "optimisers", distinct(spec.optimizer.name for spec in specs)),
    ]
