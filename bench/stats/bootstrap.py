"""Over blocks: a mean over tasks, architectures and sizes, with an interval by drawing seeds again.

The question it answers is "on these blocks, with other seeds"; with `resample_blocks`, "on blocks
like these".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bench.stats.bootstrap_intervals import bca_interval, percentile_interval
from bench.stats.estimates import NotEstimable
from bench.stats.resampling import draw_counts, means_over_blocks

NUM_REPLICATES = 10_000
MIN_UNITS = 6
"""With fewer seeds (or blocks, where those are drawn) there is no interval."""
_ROUNDING = 1e-12
"""Draws that differ by less, relative to the largest score, are the same but for rounding."""

Method: TypeAlias = Literal["percentile", "bca"]


@dataclass(frozen=True)
class MeanOverBlocks:
    """Each block counts alike, however many of its runs are there."""

    mean: float
    interval: tuple[float, float] | NotEstimable
    num_blocks: int
    num_seeds: int
    num_dropped: int  # (block, seed) pairs of which a run was missing


def mean_over_blocks(
    scores: np.ndarray,
    present: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_replicates: int = NUM_REPLICATES,
    resample_blocks: bool = False,
    method: Method = "percentile",
) -> MeanOverBlocks | NotEstimable:
    """Mean over blocks of the mean over seeds of `scores` [blocks, seeds].

    A run that diverged has a score, its task's worst; `present` [blocks, seeds] is False only where
    there is no result at all (nothing ran, or it failed), and such a run is left out and counted.

    The interval assumes seeds drawn at random. With `resample_blocks` it assumes this of the blocks
    too, draws both independently, and errs on the wide side. There is none for fewer than 6 seeds
    (or blocks, where they are drawn), nor where all draws give the same mean, which says that the
    seeds show no spread and not that there is none.

    Not estimable without a run in each block. Raises ValueError on a score that is not finite,
    and for method "bca" with `resample_blocks`: an acceleration is defined for one unit.

    References: Efron and Tibshirani, An introduction to the bootstrap (1993), chapters 13 and 14;
    Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS
    2021 (strata; there runs are drawn within each task, here seeds across all); Owen, The
    pigeonhole bootstrap, Annals of Applied Statistics 1 (2007), for seeds crossed with blocks.
    """
    scores = np.asarray(scores, dtype=np.float64)
    present = np.ones(scores.shape, bool) if present is None else np.asarray(present, dtype=bool)
    if not np.isfinite(scores[present]).all():
        raise ValueError("a score is not finite; a run that diverged has its task's worst score")
    if method == "bca" and resample_blocks:
        raise ValueError("BCa is for seeds alone; with blocks drawn too use percentile")
    num_blocks, num_seeds = scores.shape
    if not num_blocks or not present.any(axis=1).all():
        return NotEstimable(_empty(present))
    mean = float(means_over_blocks(scores, present, np.ones((num_seeds, 1)))[0])
    too_few = _too_few(num_seeds, num_blocks if resample_blocks else None)
    if too_few is not None:
        interval: tuple[float, float] | NotEstimable = too_few
    else:
        replicates = means_over_blocks(
            scores,
            present,
            draw_counts("seeds", num_seeds, num_replicates),
            draw_counts("blocks", num_blocks, num_replicates) if resample_blocks else None,
        )
        rounding = _ROUNDING * float(np.abs(scores[present]).max())
        if method == "bca":
            left_out = means_over_blocks(scores, present, 1.0 - np.eye(num_seeds))
            interval = bca_interval(replicates, mean, left_out, confidence, rounding=rounding)
        else:
            num_units = min(num_seeds, num_blocks) if resample_blocks else num_seeds
            interval = percentile_interval(replicates, num_units, confidence, rounding=rounding)
    return MeanOverBlocks(mean, interval, num_blocks, num_seeds, int((~present).sum()))


def difference_over_blocks(
    first: np.ndarray,
    second: np.ndarray,
    present: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_replicates: int = NUM_REPLICATES,
    resample_blocks: bool = False,
    method: Method = "percentile",
) -> MeanOverBlocks | NotEstimable:
    """`mean_over_blocks` of first - second, both [blocks, seeds] with the same seeds in order.

    `present` [blocks, seeds] is True where both runs are there: one without its partner is dropped.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = np.ones(first.shape, bool) if present is None else np.asarray(present, dtype=bool)
    if not (np.isfinite(first[both]).all() and np.isfinite(second[both]).all()):
        raise ValueError("a score is not finite; a run that diverged has its task's worst score")
    return mean_over_blocks(
        np.where(both, first, 0.0) - np.where(both, second, 0.0),
        both,
        confidence=confidence,
        num_replicates=num_replicates,
        resample_blocks=resample_blocks,
        method=method,
    )


def _too_few(num_seeds: int, num_blocks: int | None) -> NotEstimable | None:
    for name, num in (("seed", num_seeds), ("block", num_blocks)):
        if num is not None and num < MIN_UNITS:
            units = f"{num} {name}" if num == 1 else f"{num} {name}s"
            return NotEstimable(f"{units}: an interval by drawing {name}s needs {MIN_UNITS}")
    return None


def _empty(present: np.ndarray) -> str:
    if not present.any():
        return "no runs"
    return f"{(~present.any(axis=1)).sum()} of {present.shape[0]} blocks have no run"
