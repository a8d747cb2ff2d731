"""How often how good: the share of runs that reach each score, on a fixed scale.

A score is 0 at chance level and 1 where the task counts as solved, so a curve says the same
whoever else is in the figure. The profiles of Dolan and More divide by the best of those compared,
and change when a rival is added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.bootstrap import MIN_UNITS, NUM_REPLICATES, MeanOverBlocks, mean_over_blocks
from bench.stats.bootstrap_intervals import expansion
from bench.stats.estimates import NotEstimable
from bench.stats.resampling import draw_counts, means_over_blocks

THRESHOLDS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class Profile:
    """Share of the runs with a score of at least each threshold. [thresholds] each."""

    thresholds: np.ndarray
    share: np.ndarray
    band: tuple[np.ndarray, np.ndarray] | NotEstimable  # holds the whole curve at once
    area: MeanOverBlocks  # under the curve from 0 to 1: 1 is "every run solved"

    @property
    def num_blocks(self) -> int:
        return self.area.num_blocks

    @property
    def num_seeds(self) -> int:
        return self.area.num_seeds

    @property
    def num_dropped(self) -> int:
        return self.area.num_dropped


def fixed_scale(
    metrics: np.ndarray, has_diverged: np.ndarray, *, chance: float, solved: float
) -> np.ndarray:
    """`metrics` [...] -> scores [...]: linear, 0 at `chance`, 1 at `solved`; either may be less.

    A run that diverged, or whose metric is not finite, has minus infinity: it reaches nothing, not
    even 0. Raises ValueError where chance level and criterion are the same or not finite.
    """
    if not (np.isfinite(chance) and np.isfinite(solved)) or chance == solved:
        raise ValueError(f"no scale from {chance} (chance) to {solved} (solved)")
    metrics = np.asarray(metrics, dtype=np.float64)
    worst = np.asarray(has_diverged, dtype=bool) | ~np.isfinite(metrics)
    scores = (np.where(worst, chance, metrics) - chance) / (solved - chance)
    return np.where(worst, -np.inf, scores)


def performance_profile(
    scores: np.ndarray,
    present: np.ndarray | None = None,
    *,
    thresholds: np.ndarray = THRESHOLDS,
    confidence: float = 0.95,
    num_replicates: int = NUM_REPLICATES,
) -> Profile | NotEstimable:
    """Share of runs at or above each of `thresholds` [thresholds]; `scores` [blocks, seeds].

    Scores as `fixed_scale` makes them, minus infinity for a run that diverged. Every block weighs
    the same. `present` [blocks, seeds]: False where there is no result; counted, not filled in.

    The band holds the whole true curve (on these blocks, with other seeds) about as often as it
    says: its half width is that quantile of the largest distance, over thresholds, between the
    curve of seeds drawn again and the curve, expanded as in `percentile_interval`. For one block it
    is that of Massart's inequality, which holds for every number of runs. There is none below 6
    seeds or where the draws do not vary.

    The area is the mean of the scores cut to [0, 1], so it equals 1 less the optimality gap.
    Not estimable without a run in each block. Raises ValueError on NaN.

    References: Dolan and More, Benchmarking optimization software with performance profiles,
    Mathematical Programming 91 (2002); Agarwal et al., Deep reinforcement learning at the edge of
    the statistical precipice, NeurIPS 2021 (score distributions; pointwise bands); Massart, The
    tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality, Annals of Probability 18 (1990).
    """
    scores = np.asarray(scores, dtype=np.float64)
    there = np.ones(scores.shape, bool) if present is None else np.asarray(present, dtype=bool)
    if np.isnan(scores[there]).any():
        raise ValueError("a score is NaN; a run that diverged has minus infinity")
    scores = np.where(there, scores, -np.inf)
    area = mean_over_blocks(
        np.clip(scores, 0.0, 1.0), there, confidence=confidence, num_replicates=num_replicates
    )
    if isinstance(area, NotEstimable):
        return area
    thresholds = np.asarray(thresholds, dtype=np.float64)
    num_seeds = scores.shape[1]
    once = np.ones((num_seeds, 1))
    share = np.array([means_over_blocks(scores >= level, there, once)[0] for level in thresholds])
    if num_seeds < MIN_UNITS:
        band: tuple[np.ndarray, np.ndarray] | NotEstimable = NotEstimable(
            f"{num_seeds} seeds: a band by drawing seeds needs {MIN_UNITS}"
        )
    else:
        counts = draw_counts("seeds", num_seeds, num_replicates)
        band = _band(scores, there, thresholds, share, counts, confidence)
    return Profile(thresholds, share, band, area)


def _band(
    scores: np.ndarray,
    present: np.ndarray,
    thresholds: np.ndarray,
    share: np.ndarray,
    counts: np.ndarray,
    confidence: float,
) -> tuple[np.ndarray, np.ndarray] | NotEstimable:
    num_seeds, num_replicates = counts.shape
    largest = np.zeros(num_replicates)
    before: np.ndarray | None = None
    for level, center in zip(thresholds, share, strict=True):
        reached = scores >= level
        if before is None or (reached != before).any():
            replicates = means_over_blocks(reached, present, counts)
            np.maximum(largest, np.abs(replicates - center), out=largest)
        before = reached
    if largest.max() < 1e-12:  # nothing but rounding
        return NotEstimable(f"all draws of {num_seeds} seeds give the same curve")
    rank = min(int(np.ceil(confidence * num_replicates)), num_replicates) - 1
    half = float(np.sort(largest)[rank]) * expansion(num_seeds, confidence)
    if scores.shape[0] == 1:
        half = float(np.sqrt(np.log(2 / (1 - confidence)) / (2 * present.sum())))
    return np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)
