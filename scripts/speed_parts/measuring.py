"""One measurement, and how two things are timed so that their ratio can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import torch


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of the table. `goal` is reached from above or below, as `at_most` says."""

    section: str
    what: str
    value: float
    unit: str = ""
    goal: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def holds(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal


SPELL = 0.05  # seconds


def interleaved(
    functions: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of a call of each function in every round; a round runs all, one after another.

    A slow spell of the machine falls on all that are compared. A short function is called several
    times in a row, as in training, until SPELL is over. What is done before the first round, in
    which memory is touched and code compiled, is not counted.
    """
    calls = {}
    for name, function in functions.items():
        function()
        calls[name] = max(1, round(SPELL / _seconds(function, 1)))
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(_seconds(function, calls[name]))
    return times


def _seconds(function: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls


def ratio(times: Mapping[str, list[float]], slower: str, faster: str) -> float:
    """Median over rounds of one function's time in units of the other's."""
    pairs = zip(times[slower], times[faster], strict=True)
    return median(a / b for a, b in pairs)


SIDE = 1024
"""Of the square matrices whose product is the measure of this machine."""


def sgemm() -> Callable[[], object]:
    """torch's float32 product, which takes 2 SIDE^3 operations."""
    a, b, c = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE), torch.empty(SIDE, SIDE)
    return lambda: torch.mm(a, b, out=c)


def share_of_sgemm(times: Mapping[str, list[float]], name: str, operations: float) -> float:
    """Operations per second of `name`, in units of those of sgemm in the same round."""
    return ratio(times, "sgemm", name) * operations / (2 * SIDE**3)
