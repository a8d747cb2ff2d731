"""Runs side by side: blocks, each mitigation's cells beside those without one, and their seeds.

A block is what two cells share that differ in their mitigation alone: task, architecture, optimiser
and settings of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bench.records import Outcome, RunRecord
from bench.reporting.cells import Cell, distinct
from bench.stats.preference import scores

CONTROL = "none"
Block: TypeAlias = tuple[str, str, str, str]
"""Labels: task, architecture, optimiser, settings of the run ("" where they are those of all)."""


def block_of(cell: Cell) -> Block:
    return cell.task, cell.architecture, cell.optimizer, cell.conditions


def by_block(cells: Sequence[Cell]) -> dict[Block, list[Cell]]:
    """In the order of the cells."""
    blocks: dict[Block, list[Cell]] = {}
    for cell in cells:
        blocks.setdefault(block_of(cell), []).append(cell)
    return blocks


def beside_control(cells: Sequence[Cell]) -> dict[str, list[tuple[Cell, Cell]]]:
    """Mitigation, in the report's order -> (its cell, that of its block without one), by block."""
    controls = {block_of(cell): cell for cell in cells if cell.mitigation == CONTROL}
    found: dict[str, list[tuple[Cell, Cell]]] = {}
    for cell in cells:
        if cell.mitigation != CONTROL and block_of(cell) in controls:
            pair = (cell, controls[block_of(cell)])
            found.setdefault(cell.mitigation, []).append(pair)
    return {name: found[name] for name in distinct(found)}


def seeds_of(cells: Sequence[Cell]) -> list[int]:
    return sorted({run.spec.seed for cell in cells for run in cell.results})


def runs_of(cell: Cell, seeds: Sequence[int]) -> list[RunRecord | None]:
    """[seeds], None where there is no result."""
    runs = {run.spec.seed: run for run in cell.results}
    return [runs.get(seed) for seed in seeds]


class Pair:
    """Two cells on the same seeds; `present` [seeds] where both have a result."""

    def __init__(self, cell: Cell, control: Cell, seeds: Sequence[int]) -> None:
        self._runs = [runs_of(each, seeds) for each in (cell, control)]
        pairs = zip(*self._runs, strict=True)
        self.present = np.array([None not in pair for pair in pairs], dtype=bool)

    def events(self, event: Callable[[RunRecord], bool]) -> tuple[np.ndarray, np.ndarray]:
        """bool [seeds] of each."""
        ours, theirs = (
            np.array([run is not None and event(run) for run in runs], dtype=bool)
            for runs in self._runs
        )
        return ours, theirs

    def difference(self, event: Callable[[RunRecord], bool]) -> np.ndarray:
        """[seeds]: 1 where it happened to the first alone, -1 where to the control alone."""
        ours, theirs = self.events(event)
        result: np.ndarray = ours.astype(np.float64) - theirs
        return result

    def numbers(self, read: Callable[[RunRecord], float]) -> tuple[np.ndarray, np.ndarray]:
        """[seeds] of each, NaN where there is no result."""
        ours, theirs = (
            np.array([np.nan if run is None else read(run) for run in runs], dtype=np.float64)
            for runs in self._runs
        )
        return ours, theirs

    def scores(self) -> np.ndarray:
        """[seeds]: 1 where the mitigation wins, -1 where none does."""
        higher = next(
            (bool(r.facts["higher_is_better"]) for runs in self._runs for r in runs if r), False
        )
        metrics = self.numbers(lambda run: float(run.scores["test_metric"]))
        return scores(*metrics, *self.events(diverged), higher_is_better=higher)


class PooledPairs:
    """A mitigation's pairs in several blocks, on the seeds that any of them ran; [blocks, seeds]"""

    def __init__(self, pairs: Sequence[tuple[Cell, Cell]]) -> None:
        self.seeds = seeds_of([cell for pair in pairs for cell in pair])
        self._pairs = [Pair(*each, self.seeds) for each in pairs]
        self.present = np.stack([pair.present for pair in self._pairs])

    def difference(self, event: Callable[[RunRecord], bool]) -> np.ndarray:
        return np.stack([pair.difference(event) for pair in self._pairs])

    def numbers(self, read: Callable[[RunRecord], float]) -> tuple[np.ndarray, np.ndarray]:
        ours, theirs = zip(*(pair.numbers(read) for pair in self._pairs), strict=True)
        return np.stack(ours), np.stack(theirs)

    def scores(self) -> np.ndarray:
        return np.stack([pair.scores() for pair in self._pairs])


def diverged(run: RunRecord) -> bool:
    return run.outcome is Outcome.DIVERGED


def solved(run: RunRecord) -> bool:
    return run.solved_step is not None


def lacks_metric(run: RunRecord) -> bool:
    """A diverged run needs none: it is worse than any."""
    return "test_metric" not in run.scores and not diverged(run)


EVENTS: Mapping[str, Callable[[RunRecord], bool]] = {"solved": solved, "diverged": diverged}
