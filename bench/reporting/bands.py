"""What a line of a figure is: numbers alone, between those who aggregate and those who draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trace:
    """One run by itself, up to its end; how it ended picks the marker there."""

    x: np.ndarray  # [points]
    y: np.ndarray  # [points], infinite where the value was not finite
    ending: str


@dataclass(frozen=True)
class Band:
    """The median over runs, and the quartiles unless the runs are few. [points] each."""

    x: np.ndarray
    median: np.ndarray  # infinite is "worse than any number"
    quartiles: tuple[np.ndarray, np.ndarray] | None  # None: `traces` has every run instead
    traces: Sequence[Trace] = ()
