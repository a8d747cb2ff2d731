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
_CELL_WIDTH, _CELL_HEIGHT = 0.64, 0.36  # at least
_CHARACTER, _BOLD_CHARACTER = 0.058, 0.075
_LABEL_LINE = 0.125
_GAP = 0.22
_TITLE = 0.3
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

    @property
    def width(self) -> float:
        """Of the cells, or of the title where that is longer."""
        return max(self.cell_width * len(self.columns), len(self.title) * _BOLD_CHARACTER)

    @property
    def cell_width(self) -> float:
        return max(_CELL_WIDTH, _CHARACTER * _longest(_broken(self.columns, " ")) + 0.1)

    @property
    def cell_height(self) -> float:
        return max(_CELL_HEIGHT, _LABEL_LINE * _most_lines(_row_names(self.rows)) + 0.04)

    @property
    def height(self) -> float:
        """With its title above and the names of its columns below."""
        below = _LABEL_LINE * _most_lines(_broken(self.columns, " ")) + 0.1
        return _TITLE + self.cell_height * len(self.rows) + below


@dataclass(frozen=True)
class MatrixPage:
    """Lines of panels that fit the page; the panels of a line have the same rows."""

    lines: Sequence[Sequence[MatrixPanel]]


def max_columns(rows: Sequence[str], columns: Sequence[str]) -> int:
    """How many of the architectures fit beside the longest name of a mitigation."""
    panel = MatrixPanel("", rows, columns, np.empty(0), ())
    return max(1, int((TEXT_WIDTH - _label_width(rows) - _MARGIN) / panel.cell_width))


def pages(panels: Sequence[MatrixPanel]) -> list[MatrixPage]:
    """Panels flow into lines, lines into pages."""
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
    widest = max([2 * _CELL_WIDTH, *map(_width, page.lines)])
    figure = Figure(figsize=(left + widest + _MARGIN, height))
    top = height
    for line in page.lines:
        _draw_line(figure, line, left, top)
        top -= _height(line)
    _draw_key(figure, left)
    return figure


def _draw_line(figure: Figure, line: Sequence[MatrixPanel], left: float, top: float) -> None:
    for panel in line:
        width, height = panel.cell_width * len(panel.columns), panel.cell_height * len(panel.rows)
        ax = add_axes(figure, left, top - _TITLE - height, width, height)
        rows, columns = _row_names(panel.rows), _broken(panel.columns, " ")
        draw_outcome_matrix(ax, panel.shares, panel.texts, rows, columns)
        ax.set_title(panel.title, fontsize=9, fontweight="bold", loc="left", y=1.0, pad=4)
        if panel is not line[0]:
            ax.set_yticks([])
        left += panel.width + _GAP


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


def _row_names(rows: Sequence[str]) -> list[str]:
    return _broken(rows, "+")


def _broken(labels: Sequence[str], before: str) -> list[str]:
    """One line for each part; `before` is where a label may be broken, and a space is dropped."""
    return [label.replace(before, f"\n{before.strip()}") for label in labels]


def _longest(labels: Sequence[str]) -> int:
    return max((len(line) for label in labels for line in label.split("\n")), default=0)


def _most_lines(labels: Sequence[str]) -> int:
    return max((1 + label.count("\n") for label in labels), default=1)


def _label_width(rows: Sequence[str]) -> float:
    return _longest(_row_names(rows)) * _CHARACTER + _MARGIN


def _width(line: Sequence[MatrixPanel]) -> float:
    return sum(panel.width for panel in line) + _GAP * (len(line) - 1)


def _height(line: Sequence[MatrixPanel]) -> float:
    return max(panel.height for panel in line)


def _fits(line: Sequence[MatrixPanel]) -> bool:
    return _label_width(line[0].rows) + _width(line) + _MARGIN <= TEXT_WIDTH
