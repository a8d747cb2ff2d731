"""Intervals for means over blocks, and bands for profiles. Scores are uniform on [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.seeding import Stream
from bench.stats.bootstrap import MeanOverBlocks, Method, mean_over_blocks
from bench.stats.estimates import NotEstimable
from bench.stats.profiles import Profile, performance_profile
from calibration_parts.coverage import BAND, Ends, Tried, coverage
from calibration_parts.tables import Report

NUM_DRAWS = 1000  # of the seeds
NUM_BANDS = 300


def means_over_blocks(quick: bool) -> Report:
    return coverage((_these_blocks, _blocks_like_these), quick)


def over_blocks(scores: np.ndarray, method: Method, *, resample_blocks: bool = False) -> Ends:
    """`scores` [blocks, seeds]."""
    found = mean_over_blocks(
        scores, method=method, num_replicates=NUM_DRAWS, resample_blocks=resample_blocks
    )
    assert isinstance(found, MeanOverBlocks)
    return found.interval


def _these_blocks(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    """12 blocks; for a share of them, `shared`, the luck of a seed is the same."""
    for shared in (0.0, 0.5):
        samples = _scores((num_samples, 12, num_seeds), shared)
        of_luck = f"{shared:.0%} of the luck shared by blocks"
        ways = {
            "percentile": [over_blocks(scores, "percentile") for scores in samples],
            "bca": [over_blocks(scores, "bca") for scores in samples],
            "percentile, (block, seed) pairs drawn": [
                over_blocks(scores.reshape(1, -1), "percentile") for scores in samples
            ],
        }
        for way, ends in ways.items():
            yield Tried("mean over 12 blocks", f"0.50, {of_luck}", way, num_seeds, 0.5, ends)
        bands = [_band_slack(scores) for scores in samples[:NUM_BANDS]]
        in_words = f"whole curve, {of_luck}"
        yield Tried("performance profile", in_words, BAND, num_seeds, 0.0, bands)


def _blocks_like_these(num_seeds: int, num_samples: int) -> Iterator[Tried]:
    stream = Stream("calibration of other blocks", num_seeds, seed=0)
    levels = stream.uniform((num_samples, 12, 1))
    samples = levels + 0.4 * (stream.uniform((num_samples, 12, num_seeds)) - 0.5)
    for way, resample_blocks in (("seeds and blocks drawn", True), ("only seeds drawn", False)):
        ends = [
            over_blocks(scores, "percentile", resample_blocks=resample_blocks) for scores in samples
        ]
        what, in_words = "mean over blocks like 12", "0.50, blocks vary"
        yield Tried(what, in_words, f"percentile, {way}", num_seeds, 0.5, ends)


def _scores(shape: tuple[int, int, int], shared: float) -> np.ndarray:
    """`shape` [samples, blocks, seeds]."""
    num_samples, _, num_seeds = shape
    stream = Stream("calibration of blocks", num_seeds, seed=0)
    own = stream.uniform(shape)
    luck = stream.uniform((num_samples, 1, num_seeds))
    return np.where(stream.uniform(shape) < shared, luck, own)


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
