"""A logarithmic y axis for numbers of which some are infinite, zero or far beyond the rest.

What is beyond the scale is drawn in a grey strip at the top edge, zero on the bottom edge: nothing
is left out. Lines are drawn as powers of ten on a linear axis, so that its edges cannot overflow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

_STRIP = 0.08  # of the axis, at its top
_MARGIN = 0.04  # at its bottom
_MIN_DECADES = 2
_MAX_TICKS = 5
_STEPS = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # decades from tick to tick


@dataclass(frozen=True)
class LogScale:
    """From 10^bottom to 10^top; all numbers are powers of ten.

    `beyond` names what lies above, and is empty where nothing does.
    """

    bottom: int
    top: int
    beyond: str = ""

    @property
    def edge(self) -> float:
        """The upper end of the axis: between top and edge lies the strip."""
        return self.top + (self.top - self.bottom) * _STRIP * bool(self.beyond)

    @property
    def floor(self) -> float:
        """The lower end of the axis."""
        return self.bottom - (self.top - self.bottom) * _MARGIN

    @property
    def strip(self) -> float:
        """The middle of the strip."""
        return (self.top + self.edge) / 2

    def place(self, values: np.ndarray) -> np.ndarray:
        """`values` [points], none NaN -> where they are drawn, as powers of ten."""
        powers = _powers(values)
        return np.where(powers > self.top, self.strip, np.maximum(powers, self.floor))


def log_scale(curves: Iterable[np.ndarray], ceiling: float = math.inf) -> LogScale | None:
    """The decades that hold all finite positive values up to `ceiling`; None without any value."""
    values = np.concatenate([np.empty(0), *map(np.ravel, curves)])
    if values.size == 0:
        return None
    powers, highest = _powers(values), float(_powers(np.array(ceiling)))
    inside = powers[np.isfinite(powers) & (powers <= highest)]
    bottom, top = (math.floor(inside.min()), math.ceil(inside.max())) if inside.size else (0, 0)
    if (np.isfinite(powers) & (powers > highest)).any():
        top = max(top, math.ceil(highest))
    bottom = min(bottom, top - _MIN_DECADES)
    beyond = powers[powers > top]
    if not beyond.size:
        return LogScale(bottom, top)
    return LogScale(
        bottom, top, rf"$>\!10^{{{top}}}$" if np.isfinite(beyond).any() else r"$\infty$"
    )


def apply(ax: Axes, scale: LogScale) -> Axes:
    """Limits, ticks and the strip; lines go on it at `scale.place`."""
    ax.set_ylim(scale.floor, scale.edge)
    ticks: list[float] = [*tick_powers(scale)]
    labels = [power_of_ten(power) for power in tick_powers(scale)]
    if scale.beyond:
        ax.axhspan(scale.top, scale.edge, color="0.88", linewidth=0, zorder=0)
        ticks.append(scale.strip)
        labels.append(scale.beyond)
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.set_yticklabels(labels)
    return ax


def power_of_ten(power: int) -> str:
    return f"$10^{{{power}}}$"


def tick_powers(scale: LogScale) -> list[int]:
    """Multiples of a round number of decades, with none so near the strip that the labels touch."""
    decades = scale.top - scale.bottom
    every = next(step for step in _STEPS if decades / step <= _MAX_TICKS)
    last = scale.top - (0.1 * decades if scale.beyond else 0)
    first = math.ceil(scale.bottom / every) * every
    return list(range(first, math.floor(last) + 1, every))


def _powers(values: np.ndarray) -> np.ndarray:
    """log10, minus infinity for zero and what is below it."""
    with np.errstate(divide="ignore"):
        powers: np.ndarray = np.log10(np.maximum(values, 0.0))
    return powers
