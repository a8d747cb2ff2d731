"""Lines with bands: what happened to the runs of each cell over the updates or over positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bench.reporting.bands import Band, Trace
from bench.reporting.figures.log_axis import LogScale, apply
from bench.reporting.figures.style import REFERENCE_LINE, LineStyle

END_MARKERS = {"diverged": "x", "frozen": "+"}
"""How a run ended that did not reach its budget -> the marker at its end."""
_MARKERS_PER_LINE = 5


def draw_bands(
    ax: Axes,
    bands: Mapping[str, Band],
    styles: Mapping[str, LineStyle],
    scale: LogScale,
    reference: float | None = None,
) -> Axes:
    """One line a name, on a logarithmic y axis; `reference` is a level to compare with.

    The axis itself is linear, in powers of ten.
    """
    apply(ax, scale)
    if reference is not None and reference > 0:
        ax.axhline(np.log10(reference), zorder=1, **REFERENCE_LINE)
    for order, (name, band) in enumerate(bands.items()):
        _draw_band(ax, band, styles[name], scale, order)
    return ax


def _draw_band(ax: Axes, band: Band, style: LineStyle, scale: LogScale, order: int) -> None:
    if band.quartiles is not None:
        low, high = map(scale.place, band.quartiles)
        ax.fill_between(band.x, low, high, color=style.color, alpha=0.12, linewidth=0, zorder=2)
    _draw_traces(ax, band.traces, style, scale)
    ax.plot(
        band.x,
        scale.place(band.median),
        # Staggered, so that the markers of lines that run together do not hide one another.
        markevery=(0.04 * order, 1 / _MARKERS_PER_LINE),
        **style.as_line(),
    )


def _draw_traces(ax: Axes, traces: Sequence[Trace], style: LineStyle, scale: LogScale) -> None:
    """In one line, broken between the runs: an artist for each would cost seconds a page."""
    if not traces:
        return
    gap = np.array([np.nan])
    x = np.concatenate([part for trace in traces for part in (trace.x, gap)])
    y = np.concatenate([part for trace in traces for part in (scale.place(trace.y), gap)])
    ax.plot(x, y, color=style.color, linewidth=0.5, alpha=0.5, zorder=2.5)
    for ending in sorted({trace.ending for trace in traces} & END_MARKERS.keys()):
        ended = [trace for trace in traces if trace.ending == ending]
        ax.plot(
            [trace.x[-1] for trace in ended],
            scale.place(np.array([trace.y[-1] for trace in ended])),
            color=style.color,
            linestyle="",
            marker=END_MARKERS[ending],
            markersize=3.5,
            markeredgewidth=0.8,
            zorder=5,
            clip_on=False,
        )
