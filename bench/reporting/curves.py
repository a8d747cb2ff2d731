"""From the curves of a cell's runs to one line and one band, in which dead runs go on counting.

A row of a curve speaks for the updates since the row before. Where a run had no row of its own, the
row that covers that update stands for it. After its end a run that diverged is infinite, worse than
any number, so that the median of a cell does not mend because its worst runs have died; a frozen
run, or one that was stopped because it had solved its task, stays where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from bench.records import Outcome, RunRecord
from bench.reporting.bands import Band, Trace
from bench.reporting.cells import Cell
from bench.stats.ranks import quantile

MIN_RUNS_FOR_BAND = 5
"""With fewer, one run that diverged fills a panel with its band: they are drawn one by one."""


@dataclass(frozen=True)
class CellCurves:
    """None where no run of the cell recorded such a curve; `gaps` says so in words."""

    loss: Band | None
    gradient_norm: Band | None
    flow: Band | None
    gaps: Sequence[str]


@dataclass(frozen=True)
class Gap:
    """What a figure cannot show of a cell, and why."""

    cell: Cell
    reason: str


def read_curves(cell: Cell) -> CellCurves:
    """Reads the curves of all runs of the cell, and forgets them again."""
    runs = [_with_own_tables(run) for run in cell.results if not run.is_without_tables]
    loss = _band_over_steps(runs, "training_loss")
    gradient_norm = _band_over_steps(runs, "gradient_norm_max")
    flow, num_probed = _first_flow(runs)
    num_curves = sum(_has(run.curves, "step") for run in runs)
    gaps = []
    if len(runs) < (total := len(cell.results)):
        gaps.append(f"curves: left out of a packed store for {total - len(runs)} of {total} runs")
    if num_curves < len(runs):
        gaps.append(f"curves: {num_curves} of {len(runs)} runs recorded them")
    if num_probed < len(runs):
        gaps.append(f"gradient flow: {num_probed} of {len(runs)} runs were probed")
    return CellCurves(loss, gradient_norm, flow, gaps)


def align(
    steps: Sequence[np.ndarray], values: Sequence[np.ndarray], after_end: Sequence[float | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Curves of runs, each [its rows], `steps` rising -> their steps together [points], and a table
    [runs, points] with the value of the row that covers each step.

    Beyond a run's last row stands `after_end`, or its last value where that is None. What is not
    finite becomes infinity.
    """
    points = np.unique(np.concatenate(list(steps)))
    table = np.empty((len(steps), points.size))
    for row, (own_steps, own_values, rest) in enumerate(zip(steps, values, after_end, strict=True)):
        known = np.where(np.isfinite(own_values), own_values, np.inf)
        last = known[-1] if known.size else np.inf
        extended = np.append(known, last if rest is None else rest)
        table[row] = extended[np.searchsorted(own_steps, points)]
    return points, table


def band(points: np.ndarray, table: np.ndarray, traces: Sequence[Trace] = ()) -> Band:
    """`table` [runs, points] -> median and quartiles, or the median alone where runs are few."""
    return Band(
        x=points,
        median=quantile(table, 0.5),
        quartiles=None if _is_few(table) else (quantile(table, 0.25), quantile(table, 0.75)),
        traces=traces,
    )


def _is_few(runs: Sized) -> bool:
    return len(runs) < MIN_RUNS_FOR_BAND


def _with_own_tables(run: RunRecord) -> RunRecord:
    """A table of the store keeps what it has read: here the copy does, which is soon dropped."""
    return replace(run, curves=copy(run.curves), flow=copy(run.flow))


def _band_over_steps(runs: Sequence[RunRecord], column: str) -> Band | None:
    """A run that diverged before its first row counts as infinite from the start."""
    drawn = [run for run in runs if _has(run.curves, column) or run.outcome is Outcome.DIVERGED]
    steps = [_column(run.curves, "step") for run in drawn]
    if not any(own.size for own in steps):
        return None
    values = [_column(run.curves, column) for run in drawn]
    after_end = [np.inf if run.outcome is Outcome.DIVERGED else None for run in drawn]
    # A run alone is its median already.
    shows_all = _is_few(drawn) and len(drawn) > 1
    traces = [
        Trace(own_steps, np.where(np.isfinite(own), own, np.inf), run.outcome.value)
        for run, own_steps, own in zip(drawn, steps, values, strict=True)
        if own.size and (shows_all or run.outcome is not Outcome.COMPLETED)
    ]
    return band(*align(steps, values, after_end), traces)


def _first_flow(runs: Sequence[RunRecord]) -> tuple[Band | None, int]:
    """|dL/dh| against position at the first update that was probed, where all its runs have it."""
    probes = [probe for run in runs if (probe := _first_probe(run.flow)) is not None]
    if not probes:
        return None, 0
    shared = probes[0][0]
    for positions, _ in probes[1:]:
        shared = np.intersect1d(shared, positions)
    if shared.size == 0:
        return None, 0
    table = np.stack([norms[np.searchsorted(positions, shared)] for positions, norms in probes])
    table = np.where(np.isfinite(table), table, np.inf)
    shows_all = _is_few(probes) and len(probes) > 1
    traces = [Trace(shared, row, "") for row in table] if shows_all else []
    return band(shared, table, traces), len(probes)


def _first_probe(flow: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Positions and norms [positions], by position."""
    if not _has(flow, "step"):
        return None
    steps = _column(flow, "step")
    first = steps == steps.min()
    positions = _column(flow, "position")[first]
    order = np.argsort(positions)
    return positions[order], _column(flow, "gradient_norm")[first][order]


def _has(table: Mapping[str, np.ndarray], column: str) -> bool:
    return column in table and np.size(table[column]) > 0


def _column(table: Mapping[str, np.ndarray], column: str) -> np.ndarray:
    return np.asarray(table.get(column, ()), dtype=np.float64)
