"""When runs solve and when they diverge: solved upwards, diverged downwards, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from bench.reporting.figures.panel_grid import (
    Frame,
    add_frame,
    add_grid,
    line_handles,
    runs_text,
    say_nothing_to_draw,
)
from bench.reporting.figures.style import LineStyle
from bench.stats.incidence import Incidence

_HEIGHT = 1.9
_MARGIN = 0.035  # of the time axis, from one interval to the next beside its end


@dataclass(frozen=True)
class SolvedAndDiverged:
    """Cumulative incidence of the two over the same runs, each the other's competing event."""

    solved: Incidence
    diverged: Incidence


@dataclass(frozen=True)
class IncidencePage:
    title: str
    columns: Sequence[str]  # architectures
    panels: Sequence[Mapping[str, SolvedAndDiverged]]  # [columns], mitigation -> curves
    styles: Mapping[str, LineStyle]  # from `line_styles` of all the report's mitigations


def draw_incidence(
    ax: Axes, curves: Mapping[str, SolvedAndDiverged], styles: Mapping[str, LineStyle]
) -> Axes:
    """Steps up for solved, down for diverged, and each interval at the last step beside its end."""
    names = [name for name in styles if name in curves]
    both = [(curves[name].solved, curves[name].diverged) for name in names]
    end = max([1.0, *(one.last_step for pair in both for one in pair)])
    for order, (name, pair) in enumerate(zip(names, both, strict=True)):
        style = styles[name]
        for curve, sign in zip(pair, (100, -100), strict=True):
            # Start and end are drawn too, so that a curve spans what was watched.
            x = np.append(curve.steps, curve.last_step)
            y = sign * np.append(curve.share, curve.share[-1])
            look = style.as_line() | {"marker": "", "drawstyle": "steps-post"}
            ax.plot(x, y, clip_on=False, **look)
            beside = end * (1 + _MARGIN * (order + 1))
            ends = [sign * curve.low[-1], sign * curve.high[-1]]
            ax.vlines(beside, min(ends), max(ends), color=style.color, linewidth=0.8)
            ax.plot(
                beside, y[-1], clip_on=False, **(style.as_line() | {"marker": style.marker or "_"})
            )
    ax.axhline(0, color="0.2", linewidth=0.6, zorder=3)
    ax.axvline(end, color="0.8", linewidth=0.6, zorder=1)
    ax.set_xlim(0, end * (1 + _MARGIN * (len(names) + 1)))
    ax.set_ylim(-105, 105)
    levels = [-100, -50, 0, 50, 100]
    ax.yaxis.set_major_locator(FixedLocator(levels))
    ax.yaxis.set_major_formatter(FixedFormatter([str(abs(level)) for level in levels]))
    ticks = [tick for tick in MaxNLocator(4, integer=True).tick_values(0, end) if tick <= end]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    return ax


def _name_parts(figure: Figure, ax: Axes) -> None:
    """Upwards and downwards, in place of one label for both."""
    label = ax.yaxis.label
    left = -0.37 * figure.dpi / ax.bbox.width
    for text, y in (("solved, %", 50), ("diverged, %", ax.get_ylim()[0] / 2)):
        ax.text(
            left,
            y,
            text,
            transform=ax.get_yaxis_transform(),
            rotation=90,
            ha="center",
            va="center",
            fontsize=label.get_fontsize(),
        )
    ax.set_ylabel("")


def _lowest(page: IncidencePage) -> float:
    """The same for all panels: half of the lower part does where no interval leaves it."""
    ends = [float(one.diverged.high.max()) for panel in page.panels for one in panel.values()]
    return -105 if max(ends, default=1.0) > 0.5 else -55


def draw_incidence_page(page: IncidencePage) -> Figure:
    counts = [curves.solved.num_runs for panel in page.panels for curves in panel.values()]
    figure, (axes,) = add_frame(
        Frame(
            title=page.title,
            columns=page.columns,
            rows=["% of runs"],
            x_label="update",
            handles=line_handles(page.styles, page.panels),
            note=f"cumulative incidence, whichever came first; {runs_text(counts, 'runs')} "
            "a curve; beside the end: exact 95\u00a0% intervals (Clopper and Pearson)",
            heights=[_HEIGHT],
        )
    )
    lowest = _lowest(page)
    for ax, panel in zip(axes, page.panels, strict=True):
        draw_incidence(ax, panel, page.styles)
        ax.set_ylim(bottom=lowest)
        if ax.get_ylabel():
            _name_parts(figure, ax)
        if not panel:
            say_nothing_to_draw(ax)
        add_grid(ax)
    return figure
