"""The outcome matrix: mitigation by architecture, with the counts written into every cell."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.patches import Rectangle

from bench.reporting.figures.canvas import LINE_SPACING


def draw_outcome_matrix(
    ax: Axes,
    shares: np.ndarray,
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
) -> Axes:
    """`shares` [rows, columns], 0 to 1, set the colour; NaN is hatched: nothing has run there.

    `texts` [rows][columns] stand in the cells, so that the colour only repeats what they say.
    """
    seaborn.heatmap(  # type: ignore[no-untyped-call]
        shares,
        ax=ax,
        mask=np.isnan(shares),
        vmin=0.0,
        vmax=1.0,
        cmap=outcome_colors(),
        cbar=False,
        linewidths=0.8,
        linecolor="white",
        xticklabels=list(columns),
        yticklabels=list(rows),
    )
    for (row, column), share in np.ndenumerate(shares):
        if np.isnan(share):
            ax.add_patch(_hatching(column, row))
        ax.text(
            column + 0.5,
            row + 0.5,
            texts[row][column],
            ha="center",
            va="center",
            fontsize=7,
            linespacing=1.05,
            color=_text_color(share),
        )
    ax.tick_params(length=0, pad=2)
    ax.tick_params(axis="x", rotation=0)
    ax.tick_params(axis="y", rotation=0)
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        if "\n" in label.get_text():  # on one line it would move the label by its tallest letter
            label.set_linespacing(LINE_SPACING)
    return ax


def outcome_colors() -> Colormap:
    """From pale to dark in one hue, so that it reads in print without colour too."""
    return matplotlib.colormaps["Oranges"]


def _text_color(share: float) -> str:
    """Whichever of black and white stands out more, by the relative luminance of WCAG 2."""
    if np.isnan(share):
        return "0.25"
    channels = np.array(outcome_colors()(float(share))[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"


def _hatching(x: float, y: float) -> Rectangle:
    """One cell, with its corner at (x, y)."""
    return Rectangle(
        (x + 0.01, y + 0.02),
        0.98,
        0.96,
        facecolor="0.95",
        edgecolor="0.85",
        hatch="////",
        linewidth=0,
    )
