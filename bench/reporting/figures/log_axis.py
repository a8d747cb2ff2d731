"""A logarithmic y axis for numbers of which some are infinite, zero or far beyond the rest.

What is beyond the scale is drawn in a grey strip at the top edge, zero on the bottom edge: nothing
is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

_STRIP = 0.08  # of the axis, at its top
_MARGIN = 0.04  # at its bottom
_MIN_DECADES = 2
_MAX_TICKS = 5
_STEPS = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # decades from tick to tick


@dataclass(frozen=True)
class LogScale:
    """From 10^bottom to 10^top. `beyond` names what lies above, and is empty where nothing does."""

    bottom: int
    top: int
    beyond: str = ""

    @property
    def edge(self) -> float:
        """The upper end of the axis, as a power of ten: between top and edge lies the strip."""
        return self.top + (self.top - self.bottom) * _STRIP * bool(self.beyond)

    @property
    def floor(self) -> float:
        """The lower end of the axis, as a power of ten."""
        return self.bottom - (self.top - self.bottom) * _MARGIN

    @property
    def strip(self) -> float:
        """The middle of the strip, as a power of ten."""
        return (self.top + self.edge) / 2

    def place(self, values: np.ndarray) -> np.ndarray:
        """`values` [points], none NaN -> where they are drawn."""
        with np.errstate(divide="ignore"):
            powers = np.log10(np.maximum(values, 0.0))
        return 10.0 ** np.where(powers > self.top, self.strip, np.maximum(powers, self.floor))


def log_scale(curves: Iterable[np.ndarray], ceiling: float = math.inf) -> LogScale | None:
    """The decades that hold all finite positive values up to `ceiling`; None without any value."""
    values = np.concatenate([np.empty(0), *map(np.ravel, curves)])
    if values.size == 0:
        return None
    inside = values[(values > 0) & (values <= ceiling) & np.isfinite(values)]
    powers = np.log10(inside) if inside.size else np.zeros(1)
    bottom, top = math.floor(powers.min()), math.ceil(powers.max())
    above = values[values > ceiling]
    if np.isfinite(above).any():
        top = max(top, math.ceil(math.log10(ceiling)))
    bottom = min(bottom, top - _MIN_DECADES)
    if not above.size and not np.isinf(values).any():
        return LogScale(bottom, top)
    finite = np.isfinite(values[values > 10.0**top]).any()
    return LogScale(bottom, top, rf"$>\!10^{{{top}}}$" if finite else r"$\infty$")


def apply(ax: Axes, scale: LogScale) -> Axes:
    """Limits, ticks and the strip; call it before the lines are drawn."""
    ax.set_yscale("log")
    ax.set_ylim(10.0**scale.floor, 10.0**scale.edge)
    powers = tick_powers(scale)
    labels = [power_of_ten(power) for power in powers]
    if scale.beyond:
        ax.axhspan(10.0**scale.top, 10.0**scale.edge, color="0.88", linewidth=0, zorder=0)
    ticks = [10.0**power for power in powers] + [10.0**scale.strip] * bool(scale.beyond)
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.set_yticklabels(labels + [scale.beyond] * bool(scale.beyond))
    ax.yaxis.set_minor_locator(NullLocator())
    return ax


def power_of_ten(power: int) -> str:
    return f"$10^{{{power}}}$"


def tick_powers(scale: LogScale) -> list[int]:
    """Multiples of a round number of decades, with none so near the strip that the labels touch."""
    decades = scale.top - scale.bottom
    every = next(step for step in _STEPS if decades / step <= _MAX_TICKS)
    last = scale.top - (0.08 * decades if scale.beyond else 0)
    first = math.ceil(scale.bottom / every) * every
    return list(range(first, math.floor(last) + 1, every))
