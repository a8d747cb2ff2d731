"""What a line of a figure is: numbers alone, between those who aggregate and those who draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trace:
    """One run that ended before its budget, up to its end; how it ended picks the end marker."""

    x: np.ndarray  # [points]
    y: np.ndarray  # [points], infinite where the value was not finite
    ending: str


@dataclass(frozen=True)
class Band:
    """The median over runs, between the quartiles or, for few runs, the extremes. [points] each."""

    x: np.ndarray
    median: np.ndarray  # infinite is "worse than any number"
    low: np.ndarray
    high: np.ndarray
    traces: Sequence[Trace] = ()
