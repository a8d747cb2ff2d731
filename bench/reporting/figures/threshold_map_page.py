"""The map of clip threshold by learning rate: where runs diverge, and where they solve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bench.reporting.figures.canvas import add_axes, add_text, wrapped
from bench.reporting.figures.style import TEXT_WIDTH

_COLORS = {"diverged": "Oranges", "solved": "Blues"}

# All in inches.
_CELL_HEIGHT, _MAX_CELL_WIDTH = 0.21, 0.4
_LABEL, _RIGHT, _GAP = 0.26, 0.55, 0.3
_TITLE, _HEADING, _BELOW, _NOTE_LINE = 0.2, 0.2, 0.38, 0.115
_CHARACTER = 0.058
_MAX_HEIGHT = 8.0


@dataclass(frozen=True)
class ThresholdMap:
    """Counts of runs [thresholds, rates]; where `num_runs` is 0 nothing has run."""

    name: str  # the architecture
    num_diverged: np.ndarray
    num_solved: np.ndarray
    num_runs: np.ndarray


@dataclass(frozen=True)
class ThresholdMapPage:
    title: str
    thresholds: Sequence[str]  # labels, from the lowest; "none" (no clipping) may be the last
    learning_rates: Sequence[str]  # labels, from the lowest
    maps: Sequence[ThresholdMap]  # one below another
    threshold_label: str = "clip threshold (norm)"


def max_maps(num_thresholds: int) -> int:
    """How many fit below one another."""
    each = _HEADING + _CELL_HEIGHT * num_thresholds + _BELOW
    return max(1, int((_MAX_HEIGHT - _TITLE) / each))


def draw_map(
    ax: Axes, counts: np.ndarray, num_runs: np.ndarray, colors: Colormap, *, with_totals: bool
) -> Axes:
    """`counts` of `num_runs`, both [thresholds, rates], as colour and in figures.

    `with_totals` writes 3/10 for 3; a cell without runs is hatched.
    """
    shares = np.divide(counts, num_runs, out=np.full(counts.shape, np.nan), where=num_runs > 0)
    ax.pcolormesh(shares, vmin=0, vmax=1, cmap=colors, edgecolors="white", linewidth=0.8)
    for (row, column), share in np.ndenumerate(shares):
        if np.isnan(share):
            place = (column + 0.03, row + 0.05)
            look: dict[str, Any] = {
                "facecolor": "0.95",
                "edgecolor": "0.85",
                "hatch": "////",
                "linewidth": 0,
            }
            ax.add_patch(Rectangle(place, 0.94, 0.9, **look))
            continue
        total = f"/{num_runs[row, column]}" if with_totals else ""
        ax.text(
            column + 0.5,
            row + 0.5,
            f"{counts[row, column]}{total}",
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if share > 0.6 else "black",
        )
    ax.tick_params(length=0, pad=2)
    return ax


def draw_threshold_map_page(page: ThresholdMapPage) -> Figure:
    num_rows, num_columns = len(page.thresholds), len(page.learning_rates)
    start = _LABEL + _CHARACTER * max(map(len, page.thresholds))
    room = (TEXT_WIDTH - start - _RIGHT - _GAP) / 2
    width = min(room, _MAX_CELL_WIDTH * num_columns)
    longest = _CHARACTER * max(map(len, page.learning_rates))
    is_upright = longest + 0.02 > width / num_columns
    below = _BELOW + (longest - 0.1 if is_upright else 0)
    height = _CELL_HEIGHT * num_rows
    across = start + 2 * width + _GAP + _RIGHT
    title, note = wrapped(page.title, across, 0.065), wrapped(_note(page), across, 0.056)
    top = _TITLE * (1 + title.count("\n"))
    line = _HEADING + height + below
    notes = _NOTE_LINE * (1 + note.count("\n")) + 0.06
    figure = Figure(figsize=(across, top + line * len(page.maps) + notes))
    totals = np.unique(np.concatenate([one.num_runs[one.num_runs > 0] for one in page.maps]))
    for index, one in enumerate(page.maps):
        bottom = figure.get_figheight() - top - line * index - _HEADING - height
        pairs = (("diverged", one.num_diverged), ("solved", one.num_solved))
        for position, (kind, counts) in enumerate(pairs):
            ax = add_axes(figure, start + position * (width + _GAP), bottom, width, height)
            colors = matplotlib.colormaps[_COLORS[kind]]
            draw_map(ax, counts, one.num_runs, colors, with_totals=totals.size > 1)
            ax.set_title(f"{one.name}: {kind}", y=1.0, pad=3)
            ax.set_xticks(np.arange(num_columns) + 0.5, page.learning_rates)
            ax.set_yticks(np.arange(num_rows) + 0.5, page.thresholds if position == 0 else [])
            ax.tick_params(axis="x", rotation=90 if is_upright else 0)
            ax.set_xlabel("learning rate", labelpad=1)
            if position == 0:
                ax.set_ylabel(page.threshold_label)
                ax.yaxis.set_label_coords(-(start - _LABEL + 0.06) / width, 0.5)
            _draw_key(figure, start + 2 * width + _GAP, bottom, height, kind, position)
    add_text(figure, 0.05, title, fontsize=9)
    add_text(figure, figure.get_figheight() - notes, note, fontsize=7, color="0.25")
    return figure


def _draw_key(
    figure: Figure, left: float, bottom: float, height: float, kind: str, position: int
) -> None:
    """Two bars side by side, to the right of both maps; the ticks are for both."""
    bar = add_axes(figure, left + 0.08 + 0.08 * position, bottom, 0.08, height)
    colors = ScalarMappable(Normalize(0, 100), matplotlib.colormaps[_COLORS[kind]])
    figure.colorbar(colors, cax=bar, ticks=[0, 50, 100] if position else [])
    bar.tick_params(labelsize=6.5, length=1.5, pad=1)
    if position:
        bar.set_yticklabels(["0 %", "50 %", "100 %"])


def _note(page: ThresholdMapPage) -> str:
    totals = np.unique(np.concatenate([one.num_runs[one.num_runs > 0] for one in page.maps]))
    if totals.size == 1:
        return f"number of runs, of {totals[0]} a cell; hatched: nothing has run"
    return "number of runs, of those in the cell; hatched: nothing has run"
