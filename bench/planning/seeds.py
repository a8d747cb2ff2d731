"""The published list of seeds: which seeds serve which purpose.

A seed is an index: `seeds=16` gives 0 to 15, the same for everybody. What a run draws with it
follows from what it is for, its scope and the seed alone (bench/seeding.py), so that nobody picks
lucky ones unseen.
"""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    EVALUATION = "evaluation"  # from 0: these alone are reported
    TUNING = "tuning"  # trials, which choose settings
    SWEEP = "sweep"  # of learning rates, at the settings chosen


FIRST_SEED = {Purpose.EVALUATION: 0, Purpose.TUNING: 1_000_000, Purpose.SWEEP: 2_000_000}


def seeds_for(purpose: Purpose, count: int) -> tuple[int, ...]:
    return tuple(range(FIRST_SEED[purpose], FIRST_SEED[purpose] + count))


def purpose_of(seed: int) -> Purpose:
    return max((first, purpose) for purpose, first in FIRST_SEED.items() if first <= seed)[1]
