"""One look for all figures: sizes, and a colour, line and marker for each mitigation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import seaborn

TEXT_WIDTH = 5.5  # inches, of a NeurIPS page
NEUTRAL = "0.45"
REFERENCE_LINE: dict[str, Any] = {"color": NEUTRAL, "linewidth": 0.8, "linestyle": (0, (2, 2))}

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 100,
    # Comes with Matplotlib, so the glyphs are the same on every machine; goes with the Times of
    # the text around it; and embeds four times as fast as DejaVu.
    "font.family": ["STIXGeneral", "DejaVu Sans"],  # the second for what the first lacks
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "hatch.linewidth": 0.4,
    "pdf.fonttype": 42,  # outlines that a journal can embed
}
BASELINE_NAME = "none"
MAX_LINES = 5
"""Lines that can be followed in one panel, beside the baseline's."""

_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (7, 1.5, 1, 1.5, 1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class LineStyle:
    color: tuple[float, float, float]
    dashes: str | tuple[int, tuple[float, ...]]
    marker: str
    width: float = 1.2
    zorder: float = 4

    def as_line(self) -> dict[str, Any]:
        """What Line2D calls these."""
        return {
            "color": self.color,
            "linestyle": self.dashes,
            "linewidth": self.width,
            "marker": self.marker,
            "markersize": 3,
            "zorder": self.zorder,
        }


_BASELINE = LineStyle((0.0, 0.0, 0.0), "-", "", width=0.8, zorder=4.5)
"""The untreated baseline: black, without markers, thin and on top, so that a line it runs together
with shows on both sides of it."""


@contextmanager
def drawing_style() -> Iterator[None]:
    """Matplotlib's defaults and ours, whatever the user's matplotlibrc says; undone at the end."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)  # type: ignore[arg-type]
        yield


def line_styles(mitigations: Sequence[str]) -> dict[str, LineStyle]:
    """Told apart by colour and by dashes with a marker, so that either alone would do.

    After 7 names the colours come again, with other dashes and markers.
    """
    others = [name for name in mitigations if name != BASELINE_NAME]
    return {BASELINE_NAME: _BASELINE} | {
        name: _line_style(index) for index, name in enumerate(others)
    }


def _line_style(index: int) -> LineStyle:
    shifted = index + index // len(_MARKERS)
    return LineStyle(
        _palette()[index % len(_MARKERS)],
        _DASHES[shifted % len(_DASHES)],
        _MARKERS[shifted % len(_MARKERS)],
    )


def _palette() -> list[tuple[float, float, float]]:
    """seaborn's colour-blind safe palette, with the darker and stronger colours first."""
    colors = seaborn.color_palette("colorblind")  # type: ignore[no-untyped-call]
    return [colors[index] for index in (0, 3, 2, 1, 4, 9, 5)]
