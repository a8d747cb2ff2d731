"""Intervals for the time to solve. Every truth is the mean over a million made-up runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.seeding import Stream
from bench.stats.bounded_mean import bounded_mean_interval
from bench.stats.estimates import NotEstimable
from bench.stats.incidence import Cause, FirstEvents, Incidence, cumulative_incidence
from bench.stats.resampling import draw_counts
from bench.stats.running_time import (
    PairedDifference,
    RunningTime,
    SolveTimes,
    expected_running_time,
    restricted_mean_difference,
)
from calibration_parts.coverage import Ends, Tried, coverage
from calibration_parts.means import NUM_DRAWS, over_blocks
from calibration_parts.tables import Report

BUDGET = 1000.0


def times_to_solve(quick: bool) -> Report:
    parts = (_incidences, _restricted_means, _differences, _running_times)
    return coverage(parts, quick)


@dataclass(frozen=True)
class Runs:
    """Steps to solve (infinity: never) and steps spent, [samples, seeds]."""

    solved: np.ndarray
    spent: np.ndarray


def made_up_runs(
    name: str, shape: tuple[int, int], *, chance: float, early: float, own: float = 0.0
) -> Runs:
    """Runs solve with `chance`, after about 300 steps; of the others a share of `early` diverges
    within 100 steps. `own` of the randomness is not shared with other methods of the same seed."""
    shared = Stream("calibration", "shared", *shape, seed=0)
    apart = Stream("calibration", name, *shape, seed=0)
    luck, pace = shared.uniform(shape), shared.normal(shape)
    is_own = apart.uniform(shape) < own
    luck = np.where(is_own, apart.uniform(shape), luck)
    pace = np.where(is_own, apart.normal(shape), pace)
    steps = np.clip(np.round(300 * np.exp(0.4 * pace)), 1, BUDGET)
    solved = np.where(luck < chance, steps, np.inf)
    ends = np.where(apart.uniform(shape) < early, 1 + apart.integers(0, 100, shape), BUDGET)
    return Runs(solved, np.where(np.isfinite(solved), steps, ends))


def _million(*, chance: float, early: float) -> Runs:
    return made_up_runs("truth", (1, 1_000_000), chance=chance, early=early)


def _incidences(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    """The share solved by step 300, with one budget, and with half of the budgets at 200."""
    for chance in (0.4, 0.9):
        truth = float(np.mean(_million(chance=chance, early=0.5).solved <= 300))
        runs = made_up_runs("incidence", (num_samples, num_seeds), chance=chance, early=0.5)
        for text, short in (("one budget", BUDGET), ("half of the runs end at 200", 200.0)):
            budgets = np.where(np.arange(num_seeds) % 2, BUDGET, short)
            ends = [
                _incidence_at(solved, spent, budgets)
                for solved, spent in zip(runs.solved, runs.spent, strict=True)
            ]
            in_words = f"{truth:.2f}, {text}"
            yield Tried("solved by step 300", in_words, "Clopper-Pearson", num_seeds, truth, ends)


def _restricted_means(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    for chance in (0.9, 0.5):
        truth = float(np.minimum(_million(chance=chance, early=0.5).solved, BUDGET).mean())
        runs = made_up_runs("mean", (num_samples, num_seeds), chance=chance, early=0.5)
        ends: list[Ends] = [
            bounded_mean_interval(one, 0, BUDGET) for one in np.minimum(runs.solved, BUDGET)
        ]
        in_words = f"{truth:.0f}: {chance:.0%} solve"
        yield Tried("restricted mean", in_words, "simplex weights", num_seeds, truth, ends)


def _differences(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    shape = (num_samples, num_seeds)
    for first, second, own in ((0.9, 0.9, 1.0), (0.9, 0.5, 0.3), (0.9, 0.8, 0.3)):
        truth = sum(
            sign * float(np.minimum(_million(chance=chance, early=0.5).solved, BUDGET).mean())
            for sign, chance in ((1, first), (-1, second))
        )
        one = made_up_runs("first", shape, chance=first, early=0.5, own=own)
        other = made_up_runs("second", shape, chance=second, early=0.5, own=own)
        pairs = list(zip(one.solved, other.solved, strict=True))
        what = "difference of restricted means"
        in_words = f"{first:.0%} against {second:.0%} solve"
        ours = [_difference(*pair) for pair in pairs]
        yield Tried(what, in_words, "sign flips", num_seeds, truth, ours)
        gaps = [np.minimum(a, BUDGET) - np.minimum(b, BUDGET) for a, b in pairs]
        for method in ("percentile", "bca"):
            drawn = [over_blocks(gap[None], method) for gap in gaps]
            yield Tried(what, in_words, f"{method} bootstrap", num_seeds, truth, drawn)


def _running_times(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    counts = draw_counts("seeds", num_seeds, NUM_DRAWS)
    what = "expected running time"
    for chance, early in ((0.9, 0.0), (0.6, 0.5), (0.3, 1.0)):
        large = _million(chance=chance, early=early)
        truth = float(large.spent.sum() / np.isfinite(large.solved).sum())
        runs = made_up_runs("time", (num_samples, num_seeds), chance=chance, early=early)
        in_words = f"{truth:.0f}: {chance:.0%} solve, {early:.0%} of the rest fail early"
        pairs = list(zip(runs.spent, np.isfinite(runs.solved), strict=True))
        ours = [_running_time(*pair) for pair in pairs]
        yield Tried(what, in_words, "simplex weights", num_seeds, truth, ours)
        drawn: list[Ends] = [_drawn_running_time(*pair, counts) for pair in pairs]
        yield Tried(what, in_words, "percentile of draws", num_seeds, truth, drawn)


def _incidence_at(solved: np.ndarray, spent: np.ndarray, budgets: np.ndarray) -> Ends:
    happened = spent < BUDGET
    steps = np.minimum(spent, budgets)
    causes = np.where(np.isfinite(solved), "solved", np.where(happened, "diverged", "none"))
    causes = np.where(spent > budgets, "none", causes)
    curve = cumulative_incidence(FirstEvents(steps, causes, budgets), Cause.SOLVED)
    assert isinstance(curve, Incidence)
    found = curve.at(300)
    return found if isinstance(found, NotEstimable) else found[1:]


def _difference(first: np.ndarray, second: np.ndarray) -> Ends:
    never = np.full(first.shape, np.inf)
    found = restricted_mean_difference(SolveTimes(first, never), SolveTimes(second, never), BUDGET)
    assert isinstance(found, PairedDifference)
    return found.interval


def _running_time(spent: np.ndarray, solved: np.ndarray) -> Ends:
    found = expected_running_time(spent, solved, BUDGET)
    assert isinstance(found, RunningTime)
    return found.interval


def _drawn_running_time(
    spent: np.ndarray, solved: np.ndarray, counts: np.ndarray
) -> tuple[float, float]:
    """The usual bootstrap, for comparison."""
    successes = solved @ counts
    ratios = np.full(successes.shape, np.inf)
    np.divide(spent @ counts, successes, out=ratios, where=successes > 0)
    ratios.sort()
    tail = int(0.025 * ratios.size)
    return float(ratios[tail]), float(ratios[-1 - tail])
