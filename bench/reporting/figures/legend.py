"""The legend under a page of lines: what is drawn there, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.reporting.bands import Band
from bench.reporting.figures.band_plot import END_MARKERS
from bench.reporting.figures.canvas import LINE_SPACING
from bench.reporting.figures.style import REFERENCE_LINE, LineStyle

# All in inches.
_LINE = 0.145
_CHARACTER = 0.054
_SAMPLE = 0.5

_END_NAMES = {"diverged": "a run diverged", "frozen": "a run froze"}


@dataclass(frozen=True)
class PageLegend:
    styles: Mapping[str, LineStyle]  # line name -> its look, in the order of the legend
    panels: Sequence[Mapping[str, Band]]  # line name -> band, of all panels
    reference_name: str = ""  # empty where no level is drawn

    def height(self, width: float) -> float:
        """In inches, for a figure of `width` inches."""
        labels = _labels(self._handles(width))
        return height(labels, num_columns(labels, width))

    def draw(self, figure: Figure) -> None:
        handles = self._handles(figure.get_figwidth())
        legend = figure.legend(
            handles=handles,
            loc="lower center",
            ncols=num_columns(_labels(handles), figure.get_figwidth()),
            frameon=False,
            borderaxespad=0.2,
            handlelength=3.2,
            columnspacing=1.4,
        )
        for text in legend.get_texts():
            text.set_linespacing(LINE_SPACING)

    def _handles(self, width: float) -> list[Line2D]:
        bands = [band for panel in self.panels for band in panel.values()]
        drawn = {name for panel in self.panels for name in panel}
        endings = {trace.ending for band in bands for trace in band.traces}
        lines = [
            Line2D([], [], label=broken(name, width), **style.as_line())
            for name, style in self.styles.items()
            if name in drawn
        ]
        levels = [Line2D([], [], label=self.reference_name, **REFERENCE_LINE)]
        ends = [
            Line2D([], [], label=_END_NAMES[ending], color="0.2", ls="", marker=marker, ms=4)
            for ending, marker in END_MARKERS.items()
            if ending in endings
        ]
        return lines + (levels if self.reference_name else []) + ends


def _labels(handles: Sequence[Line2D]) -> list[str]:
    return [str(handle.get_label()) for handle in handles]


def height(labels: Sequence[str], columns: int) -> float:
    """In inches, of a legend of these labels, filled column by column."""
    lines = [1 + label.count("\n") for label in labels]
    num_rows = -(-len(labels) // columns)
    return _LINE * sum(max(lines[row::num_rows]) for row in range(num_rows)) + 0.08


def num_columns(labels: Sequence[str], width: float) -> int:
    """How many stand side by side in `width` inches."""
    widest = max(map(_inches, labels), default=width)
    return max(1, min(len(labels), int(width / widest)))


def broken(name: str, width: float) -> str:
    """A combination of mitigations on several lines, where it is too long for one."""
    return name if _inches(name) <= width else name.replace("+", "\n+")


def _inches(label: str) -> float:
    return max(map(len, label.split("\n"))) * _CHARACTER + _SAMPLE
