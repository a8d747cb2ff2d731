"""The frame of a page of panels: title, headings, axis labels, legend and a note, in inches.

Columns are set in lines of at most MAX_COLUMNS, and a line holds all rows of its columns. What
goes into the axes is the page's own business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.reporting.figures import legend
from bench.reporting.figures.canvas import LINE_SPACING, add_axes, add_text, wrapped
from bench.reporting.figures.style import NEUTRAL, TEXT_WIDTH, LineStyle

MAX_COLUMNS = 3

# All in inches.
_WIDTHS = {1: 3.3, 2: 4.6, MAX_COLUMNS: TEXT_WIDTH}
_LEFT, _RIGHT = 0.58, 0.12  # the former with one line of label; each more is as wide as a title's
_TITLE, _HEADING = 0.14, 0.13  # a line of the page's title, and of a panel's
_TICKS, _X_LABEL = 0.22, 0.17  # below every line of panels, and below the last
_GAP = 0.12
_CHARACTER, _SMALL_CHARACTER = 0.065, 0.052
_NOTE_LINE = 0.115


@dataclass(frozen=True)
class Frame:
    """All that surrounds the panels. `note` says what is drawn and of how many runs."""

    title: str
    columns: Sequence[str]  # headings, one a column
    rows: Sequence[str]  # what is on the y axis, one a row
    x_label: str
    handles: Sequence[Artist]  # of the legend, with their labels
    note: str
    heights: Sequence[float]  # of the rows


def add_frame(frame: Frame) -> tuple[Figure, list[list[Axes]]]:
    """The figure, and its axes [rows][columns], labelled but empty."""
    lines = _lines(len(frame.columns))
    width = _WIDTHS[len(lines[0])]
    margin = _LEFT + _TITLE * max(label.count("\n") for label in frame.rows)
    panel_width = (width - margin - _RIGHT - _GAP * (len(lines[0]) - 1)) / len(lines[0])
    title = wrapped(frame.title, width, _CHARACTER)
    note = wrapped(frame.note, width, _SMALL_CHARACTER)
    headings = [wrapped(name, panel_width, _CHARACTER) for name in frame.columns]
    top = _TITLE * (1 + title.count("\n")) + 0.06
    heading = _HEADING * (1 + max(name.count("\n") for name in headings)) + 0.03
    line_height = heading + sum(frame.heights) + _GAP * (len(frame.rows) - 1) + _TICKS
    bottom = top + line_height * len(lines)
    legend_top = bottom + _X_LABEL
    note_top = legend_top + _legend_height(frame.handles, width)
    figure = Figure(figsize=(width, note_top + _NOTE_LINE * (1 + note.count("\n")) + 0.05))
    axes: list[list[Axes]] = [[] for _ in frame.rows]
    for line_number, columns in enumerate(lines):
        for position, column in enumerate(columns):
            above = top + line_height * line_number + heading
            for row, row_height in enumerate(frame.heights):
                left = margin + position * (panel_width + _GAP)
                from_below = figure.get_figheight() - above - row_height
                ax = add_axes(figure, left, from_below, panel_width, row_height)
                ax.tick_params(labelbottom=row == len(frame.rows) - 1, labelleft=position == 0)
                if row == 0:
                    ax.set_title(headings[column], y=1.0, pad=3, linespacing=LINE_SPACING)
                if position == 0:
                    ax.set_ylabel(frame.rows[row], linespacing=LINE_SPACING)
                    ax.yaxis.set_label_coords(-0.37 / panel_width, 0.5)
                axes[row].append(ax)
                above += row_height + _GAP
    add_text(figure, 0.05, title, fontsize=9)
    add_text(figure, bottom + 0.01, frame.x_label)
    _draw_legend(figure, frame.handles, legend_top)
    add_text(figure, note_top, note, fontsize=7, color="0.25")
    return figure, axes


def line_handles(
    styles: Mapping[str, LineStyle],
    panels: Sequence[Mapping[str, object]],
    texts: Mapping[str, str] | None = None,
) -> list[Line2D]:
    """One a name that some panel has, in the order of `styles`; `texts` say more than the name."""
    drawn = {name for panel in panels for name in panel}
    return [
        Line2D([], [], label=(texts or {}).get(name, name), **style.as_line())
        for name, style in styles.items()
        if name in drawn
    ]


def say_nothing_to_draw(ax: Axes) -> None:
    ax.text(0.5, 0.5, "not recorded", transform=ax.transAxes, ha="center", color=NEUTRAL)


def add_grid(ax: Axes) -> None:
    ax.grid(visible=True, color="0.92", linewidth=0.4, zorder=0)
    ax.set_axisbelow(True)


def runs_text(counts: Sequence[int], noun: str) -> str:
    """ "20 runs a point", "18 to 20 runs a point"."""
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low} {noun}" if low == high else f"{low} to {high} {noun}"


def _lines(num: int) -> list[range]:
    """The columns of each line, as even as they can be."""
    each = -(-num // -(-num // MAX_COLUMNS))
    return [range(start, min(start + each, num)) for start in range(0, num, each)]


def _legend_height(handles: Sequence[Artist], width: float) -> float:
    if not handles:
        return 0.04
    labels = _labels(handles)
    columns = legend.num_columns(labels, width)
    return legend.height([legend.broken(label, width) for label in labels], columns)


def _draw_legend(figure: Figure, handles: Sequence[Artist], below: float) -> None:
    if not handles:
        return
    width, labels = figure.get_figwidth(), _labels(handles)
    drawn = figure.legend(
        handles=list(handles),
        labels=[legend.broken(label, width) for label in labels],
        loc="upper center",
        bbox_to_anchor=(0.5, 1 - below / figure.get_figheight()),
        ncols=legend.num_columns(labels, width),
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.1,
        handlelength=3.2,
        columnspacing=1.4,
    )
    for text in drawn.get_texts():
        text.set_linespacing(LINE_SPACING)


def _labels(handles: Sequence[Artist]) -> list[str]:
    return [str(handle.get_label()) for handle in handles]
