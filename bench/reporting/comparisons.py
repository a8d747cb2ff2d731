"""Each mitigation against none, on the seeds that both ran: pooled over blocks, and cell by cell.

A block is what two cells share that differ in their mitigation alone: task, architecture, optimiser
and settings of the run. Three outcomes are compared: whether a run diverged, whether it solved, and
whose final metric on test data is better. Per outcome the mitigations form one family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bench.records import Outcome, RunRecord
from bench.reporting.cells import Cell
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar, mcnemar
from bench.stats.multiplicity import Family, false_discovery_family, holm_family
from bench.stats.preference import Preference, preference, scores
from bench.stats.sign_flip import SignFlip, sign_flip

CONTROL = "none"
Block: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Pooled:
    """One mitigation against none over all blocks that have both."""

    mitigation: str
    num_blocks: int
    diverged: SignFlip | NotEstimable  # rate with it less that without
    solved: SignFlip | NotEstimable
    metric: Preference | NotEstimable


@dataclass(frozen=True)
class InCell:
    """One cell against the cell of its block without a mitigation."""

    cell: Cell
    diverged: McNemar | NotEstimable
    solved: McNemar | NotEstimable
    metric: Preference | NotEstimable


@dataclass(frozen=True)
class Compared:
    """The comparisons of a report, and their p as they count in their families, in order."""

    pooled: Sequence[Pooled]
    in_cells: Sequence[InCell]
    pooled_families: Mapping[str, Family]  # diverged, solved, metric: by Holm
    cell_families: Mapping[str, Family]  # the same: by Benjamini and Hochberg


OUTCOMES = ("diverged", "solved", "metric")


def compare(cells: Sequence[Cell]) -> Compared:
    """Nothing where no cell is without a mitigation, or none has one."""
    controls = {_block(cell): cell for cell in cells if cell.mitigation == CONTROL}
    treated = [c for c in cells if c.mitigation != CONTROL and _block(c) in controls]
    pooled = [
        _pooled(name, [(c, controls[_block(c)]) for c in treated if c.mitigation == name])
        for name in dict.fromkeys(cell.mitigation for cell in treated)
    ]
    in_cells = [_in_cell(cell, controls[_block(cell)]) for cell in treated]
    return Compared(
        pooled,
        in_cells,
        {
            outcome: holm_family(
                f"{outcome}, each against none", [_p(each, outcome) for each in pooled]
            )
            for outcome in OUTCOMES
        },
        {
            outcome: false_discovery_family(
                f"{outcome}, cell by cell", [_p(each, outcome) for each in in_cells]
            )
            for outcome in OUTCOMES
        },
    )


def _block(cell: Cell) -> Block:
    return cell.task, cell.architecture, cell.optimizer, cell.conditions


def _p(compared: Pooled | InCell, outcome: str) -> float | NotEstimable:
    found = getattr(compared, outcome)
    return found if isinstance(found, NotEstimable) else float(found.p)


def _pooled(name: str, pairs: Sequence[tuple[Cell, Cell]]) -> Pooled:
    seeds = sorted({run.spec.seed for pair in pairs for cell in pair for run in cell.results})
    grids = [_Pair(cell, control, seeds) for cell, control in pairs]
    present = np.stack([grid.present for grid in grids])

    def differences(event: Callable[[RunRecord], bool]) -> np.ndarray:
        return np.stack([grid.difference(event) for grid in grids])

    return Pooled(
        name,
        len(pairs),
        sign_flip(differences(_diverged), present),
        sign_flip(differences(_solved), present),
        preference(np.stack([grid.scores() for grid in grids]), present),
    )


def _in_cell(cell: Cell, control: Cell) -> InCell:
    seeds = sorted({run.spec.seed for each in (cell, control) for run in each.results})
    pair = _Pair(cell, control, seeds)
    return InCell(
        cell,
        mcnemar(*pair.events(_diverged), pair.present),
        mcnemar(*pair.events(_solved), pair.present),
        preference(pair.scores(), pair.present),
    )


class _Pair:
    """Two cells on the same seeds; `present` [seeds] where both have a result."""

    def __init__(self, cell: Cell, control: Cell, seeds: Sequence[int]) -> None:
        self._runs = [_by_seed(each, seeds) for each in (cell, control)]
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
        ours, theirs = self.events(event)
        result: np.ndarray = ours.astype(np.float64) - theirs
        return result

    def scores(self) -> np.ndarray:
        """1 where the mitigation wins, -1 where none does."""
        ours, theirs = (np.array([_metric(run) for run in runs]) for runs in self._runs)
        higher = next(
            (bool(r.facts["higher_is_better"]) for runs in self._runs for r in runs if r), False
        )
        return scores(ours, theirs, *self.events(_diverged), higher_is_better=higher)


def _by_seed(cell: Cell, seeds: Sequence[int]) -> list[RunRecord | None]:
    runs = {run.spec.seed: run for run in cell.results}
    return [runs.get(seed) for seed in seeds]


def _diverged(run: RunRecord) -> bool:
    return run.outcome is Outcome.DIVERGED


def _solved(run: RunRecord) -> bool:
    return run.solved_step is not None


def _metric(run: RunRecord | None) -> float:
    return np.nan if run is None else float(run.scores["test_metric"])
