"""Outcome matrices side by side, one panel a task, all with cells of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bench.reporting.figures.canvas import add_axes
from bench.reporting.figures.outcome_matrix import draw_outcome_matrix, outcome_colors
from bench.reporting.figures.style import TEXT_WIDTH

MAX_ROWS = 16
"""Mitigations on a page."""

# All in inches.
_CELL_WIDTH, _CELL_HEIGHT = 0.64, 0.36
_CHARACTER = 0.058
_GAP = 0.22
_ABOVE = 0.3  # of a panel, for its title
_LABEL_LINE = 0.12
_KEY = 0.5
_MARGIN = 0.08
_MAX_HEIGHT = 8.0


@dataclass(frozen=True)
class MatrixPanel:
    title: str
    rows: Sequence[str]  # mitigations
    columns: Sequence[str]  # architectures
    shares: np.ndarray  # [rows, columns] of the runs that diverged, NaN where nothing has run
    texts: Sequence[Sequence[str]]  # [rows][columns]


@dataclass(frozen=True)
class MatrixPage:
    """Lines of panels that fit the page; all panels have the same rows."""

    lines: Sequence[Sequence[MatrixPanel]]


def max_columns(rows: Sequence[str]) -> int:
    """How many architectures fit beside the longest name of a mitigation."""
    return max(1, int((TEXT_WIDTH - _label_width(rows) - _MARGIN) / _CELL_WIDTH))


def pages(panels: Sequence[MatrixPanel]) -> list[MatrixPage]:
    """Panels flow into lines, lines into pages; no panel may be wider than `max_columns`."""
    lines: list[list[MatrixPanel]] = []
    for panel in panels:
        if lines and lines[-1][0].rows == panel.rows and _fits([*lines[-1], panel]):
            lines[-1].append(panel)
        else:
            lines.append([panel])
    result: list[list[list[MatrixPanel]]] = []
    for line in lines:
        if result and sum(map(_height, [*result[-1], line])) + _KEY <= _MAX_HEIGHT:
            result[-1].append(line)
        else:
            result.append([line])
    return [MatrixPage(page) for page in result]


def draw_matrix_page(page: MatrixPage) -> Figure:
    left = max(_label_width(line[0].rows) for line in page.lines)
    height = sum(map(_height, page.lines)) + _KEY
    width = left + max(map(_line_width, page.lines)) + _MARGIN
    figure = Figure(figsize=(width, height))
    top = height
    for line in page.lines:
        _draw_line(figure, line, left, top)
        top -= _height(line)
    _draw_key(figure, left)
    return figure


def _draw_line(figure: Figure, line: Sequence[MatrixPanel], left: float, top: float) -> None:
    height = _CELL_HEIGHT * len(line[0].rows)
    for panel in line:
        width = _CELL_WIDTH * len(panel.columns)
        ax = add_axes(figure, left, top - _ABOVE - height, width, height)
        rows, columns = _wrapped(panel.rows), _wrapped(panel.columns)
        draw_outcome_matrix(ax, panel.shares, panel.texts, rows, columns)
        ax.set_title(panel.title, fontsize=9, fontweight="bold", loc="left", y=1.0, pad=4)
        if panel is not line[0]:
            ax.set_yticks([])
        left += width + _GAP


def _draw_key(figure: Figure, left: float) -> None:
    bar = add_axes(figure, left, _KEY - 0.15, 2 * _CELL_WIDTH, 0.08)
    figure.colorbar(
        ScalarMappable(Normalize(0, 100), outcome_colors()),
        cax=bar,
        orientation="horizontal",
        ticks=[0, 50, 100],
    )
    bar.tick_params(labelsize=7, length=1.5, pad=1.5)
    bar.set_xlabel("runs that diverged, %", fontsize=7.5, labelpad=1)


def _wrapped(labels: Sequence[str]) -> list[str]:
    return [label.replace("+", "\n+").replace(" (", "\n(") for label in labels]


def _label_width(rows: Sequence[str]) -> float:
    longest = max((len(part) for label in _wrapped(rows) for part in label.split("\n")), default=0)
    return longest * _CHARACTER + _MARGIN


def _line_width(line: Sequence[MatrixPanel]) -> float:
    return sum(_CELL_WIDTH * len(panel.columns) for panel in line) + _GAP * (len(line) - 1)


def _fits(line: Sequence[MatrixPanel]) -> bool:
    return _label_width(line[0].rows) + _line_width(line) + _MARGIN <= TEXT_WIDTH


def _height(line: Sequence[MatrixPanel]) -> float:
    names = [name for panel in line for name in _wrapped(panel.columns)]
    below = _LABEL_LINE * (1 + max(name.count("\n") for name in names)) + 0.1
    return _ABOVE + _CELL_HEIGHT * len(line[0].rows) + below
