"""How often the intervals for times and for means over blocks hold the truth, by simulation.

    python scripts/calibration_times.py

prints the table of docs/statistics.md ("Time to solve", "Over blocks"): about two minutes on one
core. Every truth is a closed form or the mean over a million made-up runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.seeding import Stream
from bench.stats.bootstrap import MeanOverBlocks, Method, mean_over_blocks
from bench.stats.bounded_mean import bounded_mean_interval
from bench.stats.estimates import NotEstimable
from bench.stats.incidence import Cause, FirstEvents, Incidence, cumulative_incidence
from bench.stats.profiles import Profile, performance_profile
from bench.stats.resampling import draw_counts
from bench.stats.running_time import (
    PairedDifference,
    RunningTime,
    SolveTimes,
    expected_running_time,
    restricted_mean_difference,
)

BUDGET = 1000.0
NUM_SEEDS = (10, 20)
NUM_SAMPLES = 1000
NUM_DRAWS = 1000  # of the seeds, in the intervals that draw them
BAND = "uniform band"
HEADINGS = ("estimate", "truth", "interval", "n", "covered, %", "no interval, %", "mean width")

Ends = tuple[float, float] | NotEstimable


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


def row(
    names: tuple[str, str, str], num_seeds: int, truth: float, intervals: list[Ends]
) -> tuple[str, ...]:
    known = [ends for ends in intervals if not isinstance(ends, NotEstimable)]
    covered = np.mean([low - 1e-9 <= truth <= high + 1e-9 for low, high in known])
    widths = np.array([high - low for low, high in known])
    width = f"{widths.mean():.3g}" if np.isfinite(widths).all() else "some infinite"
    if names[2] == BAND:
        width = "\u2013"
    missing = 100 * (1 - len(known) / len(intervals))
    return (*names, str(num_seeds), f"{100 * covered:.1f}", f"{missing:.1f}", width)


def incidence_rows(num_seeds: int) -> Iterator[tuple[str, ...]]:
    """The share solved by step 300, with one budget, and with half of the budgets at 200."""
    for chance in (0.4, 0.9):
        truth = float(np.mean(_million(chance=chance, early=0.5).solved <= 300))
        runs = made_up_runs("incidence", (NUM_SAMPLES, num_seeds), chance=chance, early=0.5)
        for text, short in (("one budget", BUDGET), ("half of the runs end at 200", 200.0)):
            budgets = np.where(np.arange(num_seeds) % 2, BUDGET, short)
            intervals = [
                _incidence_at(solved, spent, budgets)
                for solved, spent in zip(runs.solved, runs.spent, strict=True)
            ]
            names = ("solved by step 300", f"{truth:.2f}, {text}", "Clopper-Pearson")
            yield row(names, num_seeds, truth, intervals)


def difference_rows(num_seeds: int) -> Iterator[tuple[str, ...]]:
    shape = (NUM_SAMPLES, num_seeds)
    for first, second, own in ((0.9, 0.9, 1.0), (0.9, 0.5, 0.3), (0.9, 0.8, 0.3)):
        truth = sum(
            sign * float(np.minimum(_million(chance=chance, early=0.5).solved, BUDGET).mean())
            for sign, chance in ((1, first), (-1, second))
        )
        one = made_up_runs("first", shape, chance=first, early=0.5, own=own)
        other = made_up_runs("second", shape, chance=second, early=0.5, own=own)
        pairs = list(zip(one.solved, other.solved, strict=True))
        what = "difference of restricted means"
        text = f"{first:.0%} against {second:.0%} solve"
        yield row(
            (what, text, "sign flips"), num_seeds, truth, [_difference(*pair) for pair in pairs]
        )
        for method in ("percentile", "bca"):
            gaps = [np.minimum(a, BUDGET) - np.minimum(b, BUDGET) for a, b in pairs]
            intervals = [_over_blocks(gap[None], method) for gap in gaps]
            yield row((what, text, f"{method} bootstrap"), num_seeds, truth, intervals)


def running_time_rows(num_seeds: int) -> Iterator[tuple[str, ...]]:
    counts = draw_counts("seeds", num_seeds, NUM_DRAWS)
    for chance, early in ((0.9, 0.0), (0.6, 0.5), (0.3, 1.0)):
        large = _million(chance=chance, early=early)
        truth = float(large.spent.sum() / np.isfinite(large.solved).sum())
        runs = made_up_runs("time", (NUM_SAMPLES, num_seeds), chance=chance, early=early)
        solved = np.isfinite(runs.solved)
        text = f"{truth:.0f}: {chance:.0%} solve, {early:.0%} of the rest fail early"
        pairs = list(zip(runs.spent, solved, strict=True))
        ours = [_running_time(*pair) for pair in pairs]
        yield row(("expected running time", text, "simplex weights"), num_seeds, truth, ours)
        drawn = [_drawn_running_time(*pair, counts) for pair in pairs]
        yield row(("expected running time", text, "percentile of draws"), num_seeds, truth, drawn)


def restricted_mean_rows(num_seeds: int) -> Iterator[tuple[str, ...]]:
    for chance in (0.9, 0.5):
        truth = float(np.minimum(_million(chance=chance, early=0.5).solved, BUDGET).mean())
        runs = made_up_runs("mean", (NUM_SAMPLES, num_seeds), chance=chance, early=0.5)
        intervals = [
            bounded_mean_interval(one, 0, BUDGET) for one in np.minimum(runs.solved, BUDGET)
        ]
        text = f"{truth:.0f}: {chance:.0%} solve"
        yield row(("restricted mean", text, "simplex weights"), num_seeds, truth, intervals)


def block_rows(num_seeds: int) -> Iterator[tuple[str, ...]]:
    """12 blocks; for a share of them, `shared`, the luck of a seed is the same."""
    for shared in (0.0, 0.5):
        draws = _scores(num_seeds, shared)
        truth = 0.5
        text = f"0.50, {shared:.0%} of the luck shared by blocks"
        for method in ("percentile", "bca"):
            intervals = [_over_blocks(scores, method) for scores in draws]
            yield row(("mean over 12 blocks", text, method), num_seeds, truth, intervals)
        pairs = [_over_blocks(scores.reshape(1, -1), "percentile") for scores in draws]
        wrong = "percentile, (block, seed) pairs drawn"
        yield row(("mean over 12 blocks", text, wrong), num_seeds, truth, pairs)
        bands = [_band_slack(scores) for scores in draws[:300]]
        names = ("performance profile", text.replace("0.50", "whole curve"), BAND)
        yield row(names, num_seeds, 0.0, bands)
    blocks = _blocks_like_these(num_seeds)
    for resample_blocks in (True, False):
        intervals = [
            _over_blocks(scores, "percentile", resample_blocks=resample_blocks) for scores in blocks
        ]
        drawn = "seeds and blocks drawn" if resample_blocks else "only seeds drawn"
        names = ("mean over blocks like 12", "0.50, blocks vary", f"percentile, {drawn}")
        yield row(names, num_seeds, 0.5, intervals)


def rows() -> Iterator[tuple[str, ...]]:
    """One line of the table each, in the order of HEADINGS."""
    parts: tuple[Callable[[int], Iterator[tuple[str, ...]]], ...] = (
        incidence_rows,
        restricted_mean_rows,
        difference_rows,
        running_time_rows,
        block_rows,
    )
    for part in parts:
        for num_seeds in NUM_SEEDS:
            yield from part(num_seeds)


def _million(*, chance: float, early: float) -> Runs:
    return made_up_runs("truth", (1, 1_000_000), chance=chance, early=early)


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


def _drawn_running_time(spent: np.ndarray, solved: np.ndarray, counts: np.ndarray) -> Ends:
    """The usual bootstrap, for comparison."""
    successes = solved @ counts
    ratios = np.full(successes.shape, np.inf)
    np.divide(spent @ counts, successes, out=ratios, where=successes > 0)
    ratios.sort()
    tail = int(0.025 * ratios.size)
    return float(ratios[tail]), float(ratios[-1 - tail])


def _over_blocks(scores: np.ndarray, method: Method, *, resample_blocks: bool = False) -> Ends:
    found = mean_over_blocks(
        scores, method=method, num_replicates=NUM_DRAWS, resample_blocks=resample_blocks
    )
    assert isinstance(found, MeanOverBlocks)
    return found.interval


def _scores(num_seeds: int, shared: float) -> np.ndarray:
    """[samples, blocks, seeds], each uniform on [0, 1]."""
    stream = Stream("calibration of blocks", num_seeds, seed=0)
    own = stream.uniform((NUM_SAMPLES, 12, num_seeds))
    luck = stream.uniform((NUM_SAMPLES, 1, num_seeds))
    is_shared = stream.uniform((NUM_SAMPLES, 12, num_seeds)) < shared
    return np.where(is_shared, luck, own)


def _blocks_like_these(num_seeds: int) -> np.ndarray:
    stream = Stream("calibration of other blocks", num_seeds, seed=0)
    levels = stream.uniform((NUM_SAMPLES, 12, 1))
    return levels + 0.4 * (stream.uniform((NUM_SAMPLES, 12, num_seeds)) - 0.5)


def _band_slack(scores: np.ndarray) -> Ends:
    """An interval that holds zero if and only if the band holds the whole true curve."""
    levels = np.linspace(0, 1, 41)
    found = performance_profile(scores, thresholds=levels, num_replicates=NUM_DRAWS)
    assert isinstance(found, Profile)
    if isinstance(found.band, NotEstimable):
        return found.band
    low, high = found.band
    truth = 1 - levels
    return float((low - truth).max()), float((high - truth).min())


def main() -> None:
    print(f"| {' | '.join(HEADINGS)} |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    for line in rows():
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
