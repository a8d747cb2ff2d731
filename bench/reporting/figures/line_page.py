"""A page of panels with lines: one column an architecture, one row a quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from bench.reporting.bands import Band
from bench.reporting.figures.band_plot import draw_bands
from bench.reporting.figures.canvas import LINE_SPACING, add_axes, add_text, wrapped
from bench.reporting.figures.legend import PageLegend
from bench.reporting.figures.log_axis import LogScale, log_scale, power_of_ten
from bench.reporting.figures.style import NEUTRAL, TEXT_WIDTH, LineStyle

MAX_COLUMNS = 3

MAX_PANELS = 6
"""Architectures on a page: two lines of three."""

# All in inches.
_WIDTHS = {1: 3.3, 2: 4.6, MAX_COLUMNS: TEXT_WIDTH}
_PANEL_HEIGHT = 1.25
_LEFT, _RIGHT = 0.6, 0.08
_TITLE, _HEADING = 0.14, 0.13  # a line of the page's title, and of a panel's
_TICKS, _X_LABEL = 0.22, 0.16  # below every line of panels, and below the last
_GAP = 0.12
_CHARACTER = 0.065


@dataclass(frozen=True)
class PanelRow:
    """One quantity over all columns, on one scale. What is above `ceiling` is off the scale."""

    quantity: str
    panels: Sequence[Mapping[str, Band]]  # [columns], line name -> band
    references: Sequence[float | None] = ()  # [columns], or none at all
    ceiling: float = np.inf


@dataclass(frozen=True)
class LinePage:
    """Columns are set in lines of at most MAX_COLUMNS; a line holds all rows of its columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[PanelRow]
    x_label: str
    x_is_logarithmic: bool
    styles: Mapping[str, LineStyle]  # in the order of the legend
    reference_name: str = ""

    @property
    def lines(self) -> list[Sequence[int]]:
        """The columns of each line, as even as they can be."""
        num = len(self.columns)
        each = -(-num // -(-num // MAX_COLUMNS))
        return [range(start, min(start + each, num)) for start in range(0, num, each)]


def draw_line_page(page: LinePage) -> Figure:
    legend = PageLegend(
        page.styles,
        [panel for row in page.rows for panel in row.panels],
        page.reference_name if any(row.references for row in page.rows) else "",
    )
    width = _WIDTHS[len(page.lines[0])]
    title = wrapped(page.title, width, _CHARACTER)
    top = _TITLE * (1 + title.count("\n")) + 0.06
    heading = _HEADING * (1 + max(name.count("\n") for name in _headings(page))) + 0.03
    line_height = heading + (_PANEL_HEIGHT + _GAP) * len(page.rows) - _GAP + _TICKS
    height = top + line_height * len(page.lines) + _X_LABEL
    figure = Figure(figsize=(width, height + legend.height(width)))
    scales = [_row_scale(row) for row in page.rows]
    for index, columns in enumerate(page.lines):
        _draw_line(figure, page, columns, scales, above=top + line_height * index + heading)
    add_text(figure, 0.05, title, fontsize=9)
    add_text(figure, height - _X_LABEL, page.x_label)
    legend.draw(figure)
    return figure


def _draw_line(
    figure: Figure,
    page: LinePage,
    columns: Sequence[int],
    scales: Sequence[LogScale | None],
    above: float,
) -> None:
    for index, (row, scale) in enumerate(zip(page.rows, scales, strict=True)):
        axes = _add_axes(figure, page, len(columns), above + index * (_PANEL_HEIGHT + _GAP))
        for ax, column in zip(axes, columns, strict=True):
            _draw_panel(ax, page, row, scale, column)
            ax.tick_params(labelbottom=row is page.rows[-1], labelleft=ax is axes[0])
            if index == 0:
                ax.set_title(_headings(page)[column], y=1.0, pad=3, linespacing=LINE_SPACING)
        axes[0].set_ylabel(row.quantity)
        axes[0].yaxis.set_label_coords(-0.41 / axes[0].bbox.width * figure.dpi, 0.5)


def _add_axes(figure: Figure, page: LinePage, num: int, above: float) -> list[Axes]:
    """`num` axes side by side, their top `above` inches below the top of the figure."""
    bottom = figure.get_figheight() - above - _PANEL_HEIGHT
    width = _panel_width(page)
    return [
        add_axes(figure, _LEFT + index * (width + _GAP), bottom, width, _PANEL_HEIGHT)
        for index in range(num)
    ]


def _panel_width(page: LinePage) -> float:
    num = len(page.lines[0])
    return (_WIDTHS[num] - _LEFT - _RIGHT - _GAP * (num - 1)) / num


def _headings(page: LinePage) -> list[str]:
    return [wrapped(name, _panel_width(page), _CHARACTER) for name in page.columns]


def _draw_panel(
    ax: Axes, page: LinePage, row: PanelRow, scale: LogScale | None, column: int
) -> None:
    panel = row.panels[column]
    if scale is not None:
        draw_bands(
            ax, panel, page.styles, scale, row.references[column] if row.references else None
        )
    else:
        ax.set_yticks([])
    if not panel:
        ax.text(0.5, 0.5, "not recorded", transform=ax.transAxes, ha="center", color=NEUTRAL)
    _set_x_axis(ax, page)
    ax.grid(visible=True, color="0.92", linewidth=0.4, zorder=0)


def _row_scale(row: PanelRow) -> LogScale | None:
    bands = [band for panel in row.panels for band in panel.values()]
    lines = [line for band in bands for line in (band.median, *(band.quartiles or ()))]
    traces = [trace.y for band in bands for trace in band.traces]
    levels = [np.array([level]) for level in row.references if level is not None]
    return log_scale([*lines, *traces, *levels], row.ceiling) if bands else None


def _set_x_axis(ax: Axes, page: LinePage) -> None:
    ends = [
        end
        for row in page.rows
        for panel in row.panels
        for band in panel.values()
        for end in (band.x[0], band.x[-1])
    ]
    low, high = min(ends), max(ends)
    if page.x_is_logarithmic:
        ax.set_xscale("log")
        ax.set_xlim(low / 1.25, high * 1.25)
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        ax.xaxis.set_major_locator(FixedLocator([10.0**power for power in powers]))
        ax.set_xticklabels([power_of_ten(power) for power in powers])
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        margin = 0.03 * max(high - low, 1)
        ax.set_xlim(low - margin, high + margin)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
