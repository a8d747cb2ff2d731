"""How often do intervals hold the truth: one line of a table each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bench.stats.estimates import NotEstimable
from calibration_parts.tables import Report, is_too_many, table

HEADING = ("estimate", "truth", "interval", "n", "covered, %", "no interval, %", "mean width")
KEEP_THEIR_WORD = ("Clopper-Pearson", "simplex weights")
"""Intervals that are to cover as often as they say; the others do so with many seeds."""
BAND = "uniform band"

Ends = tuple[float, float] | NotEstimable


@dataclass(frozen=True)
class Tried:
    """95 % intervals from as many samples of seeds."""

    estimate: str
    truth_in_words: str
    interval: str
    num_seeds: int
    truth: float
    ends: list[Ends]

    @property
    def known(self) -> list[tuple[float, float]]:
        return [ends for ends in self.ends if not isinstance(ends, NotEstimable)]

    @property
    def num_missed(self) -> int:
        return sum(not low - 1e-9 <= self.truth <= high + 1e-9 for low, high in self.known)

    @property
    def is_broken(self) -> bool:
        too_many = is_too_many(self.num_missed, len(self.known), 0.05)
        return self.interval in KEEP_THEIR_WORD and too_many

    def cells(self) -> list[object]:
        known = len(self.known)
        return [
            self.estimate,
            self.truth_in_words,
            self.interval,
            self.num_seeds,
            f"{100 * (1 - self.num_missed / known):.1f}",
            f"{100 * (1 - known / len(self.ends)):.1f}",
            self._width(),
        ]

    def _width(self) -> str:
        if self.interval == BAND:
            return "\N{EN DASH}"
        widths = np.array([high - low for low, high in self.known])
        return f"{widths.mean():.3g}" if np.isfinite(widths).all() else "some infinite"


Part = Callable[[int, int], Iterable[Tried]]
"""(seeds, samples) -> lines of the table."""


def coverage(parts: Iterable[Part], quick: bool) -> Report:
    num_samples = 60 if quick else 1000
    tried = [
        each
        for part in parts
        for num_seeds in ((10,) if quick else (10, 20))
        for each in part(num_seeds, num_samples)
    ]
    notes = [
        f"{each:,} samples{what} (so give or take {_give_or_take(each)} points)"
        for each, what in _numbers_of_samples(tried)
    ]
    lines = table(HEADING, [each.cells() for each in tried])
    broken = [
        f"{each.estimate}, {each.truth_in_words}, n = {each.num_seeds}"
        for each in tried
        if each.is_broken
    ]
    return Report(f"95 % intervals, {', '.join(notes)}:\n\n{lines}", tuple(broken))


def _numbers_of_samples(tried: Iterable[Tried]) -> list[tuple[int, str]]:
    of_bands = {len(each.ends): " for the band" for each in tried if each.interval == BAND}
    others = {len(each.ends): " a line" for each in tried if each.interval != BAND}
    return [*others.items(), *((each, what) for each, what in of_bands.items())]


def _give_or_take(num_samples: int) -> str:
    return f"{100 * norm.isf(0.025) * np.sqrt(0.05 * 0.95 / num_samples):.1f}"
