"""Shares of runs against a setting, each with its interval, for several mitigations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from bench.reporting.figures.style import LineStyle
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion

_APART = 0.16
"""How far the lines of a panel are moved apart in all, as a part of the distance between points."""


@dataclass(frozen=True)
class ShareLine:
    """k of n runs at each setting."""

    x: np.ndarray  # [points], rising, positive
    shares: Sequence[Proportion | NotEstimable]  # [points]; what nobody ran is left out


def draw_shares(ax: Axes, lines: Mapping[str, ShareLine], styles: Mapping[str, LineStyle]) -> Axes:
    """Per cent on the y axis, the setting on a logarithmic x axis that the caller labels.

    Lines that share a setting are moved apart a little, in the order of `styles`, so that no
    interval hides another.
    """
    names = [name for name in styles if name in lines]
    gap = room_sideways([lines[name].x for name in names])
    for order, name in enumerate(names):
        line, style = lines[name], styles[name]
        pairs = [
            (x, share)
            for x, share in zip(line.x, line.shares, strict=True)
            if isinstance(share, Proportion)
        ]
        if not pairs:
            continue
        moved = shifted(np.array([x for x, _ in pairs]), order, len(names), gap)
        middle = np.array([100 * share.share for _, share in pairs])
        ends = np.array([(100 * share.low, 100 * share.high) for _, share in pairs])
        ax.vlines(moved, ends[:, 0], ends[:, 1], color=style.color, linewidth=0.7, alpha=0.65)
        ax.plot(moved, middle, clip_on=False, **style.as_line())
    ax.set_ylim(-4, 104)
    ax.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    return ax


def label_settings(ax: Axes, settings: Sequence[float], labels: Sequence[str]) -> None:
    """A logarithmic x axis with a tick at each setting, and room beside the outermost."""
    ax.set_xscale("log")
    ratio = float(np.exp(smallest_gap([np.array(settings, dtype=np.float64)]) * 0.4))
    ax.set_xlim(min(settings) / ratio, max(settings) * ratio)
    ax.xaxis.set_major_locator(FixedLocator(list(settings)))
    ax.xaxis.set_major_formatter(FixedFormatter(list(labels)))
    ax.xaxis.set_minor_locator(NullLocator())


def smallest_gap(settings: Sequence[np.ndarray]) -> float:
    """Between neighbours, in natural logarithms."""
    every = np.unique(np.concatenate([np.empty(0), *settings]))
    return float(np.diff(np.log(every)).min()) if every.size > 1 else 1.0


def room_sideways(settings: Sequence[np.ndarray]) -> float:
    """The distance that `shifted` takes for that between points: where these are few and far apart,
    less, or a point would stand at another setting than its own."""
    every = np.unique(np.concatenate([np.empty(0), *settings]))
    gap = smallest_gap(settings)
    return min(gap, float(np.log(every[-1] / every[0])) / 3) if every.size > 1 else gap


def shifted(x: np.ndarray, order: int, num: int, gap: float) -> np.ndarray:
    place = (order - (num - 1) / 2) / max(num - 1, 1)
    return np.asarray(x * np.exp(place * _APART * gap * min(num - 1, 5) / 2))
