"""Figures laid out in inches: no solver, so the same place on every machine."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

LINE_SPACING = 1.0
"""Of texts with several lines: Matplotlib's own 1.2 is wide for this font."""


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """An axes whose box is given in inches from the lower left corner of `figure`."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def wrapped(text: str, width: float, character: float) -> str:
    """`text` broken at its spaces so that its lines fit into `width` inches where they can."""
    return textwrap.fill(text, max(1, int(width / character)), break_long_words=False)


def add_text(figure: Figure, below: float, text: str, **look: Any) -> None:
    """`text` across the middle, its top `below` inches under the top of `figure`."""
    figure.text(
        0.5,
        1 - below / figure.get_figheight(),
        text,
        ha="center",
        va="top",
        linespacing=LINE_SPACING,
        **look,
    )
