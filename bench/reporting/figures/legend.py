"""The legend under a page of lines: what is drawn there, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.reporting.bands import Band
from bench.reporting.figures.band_plot import END_MARKERS
from bench.reporting.figures.style import NEUTRAL, REFERENCE_DASHES, LineStyle

# All in inches.
_LINE = 0.145
_CHARACTER = 0.054
_SAMPLE = 0.5


@dataclass(frozen=True)
class PageLegend:
    styles: Mapping[str, LineStyle]  # line name -> its look, in the order of the legend
    panels: Sequence[Mapping[str, Band]]  # line name -> band, of all panels
    reference_name: str = ""  # empty where no level is drawn

    @property
    def handles(self) -> list[Line2D]:
        drawn = {name for panel in self.panels for name in panel}
        handles = [
            Line2D([], [], label=name, **style.as_line())
            for name, style in self.styles.items()
            if name in drawn
        ]
        if self.reference_name:
            dashes = {"linewidth": 0.8, "linestyle": REFERENCE_DASHES}
            handles.append(Line2D([], [], color=NEUTRAL, label=self.reference_name, **dashes))
        return handles + self._end_handles()

    def height(self, width: float) -> float:
        """In inches, for a figure of `width` inches."""
        return _LINE * -(-len(self.handles) // self._num_columns(width)) + 0.08

    def draw(self, figure: Figure) -> None:
        figure.legend(
            handles=self.handles,
            loc="lower center",
            ncols=self._num_columns(figure.get_figwidth()),
            frameon=False,
            borderaxespad=0.2,
            handlelength=3.2,
            columnspacing=1.4,
        )

    def _end_handles(self) -> list[Line2D]:
        bands = [band for panel in self.panels for band in panel.values()]
        endings = {trace.ending for band in bands for trace in band.traces}
        look = {"color": "0.2", "linestyle": "", "markersize": 4}
        return [
            Line2D([], [], label=f"a run {ending}", marker=marker, **look)
            for ending, marker in END_MARKERS.items()
            if ending in endings
        ]

    def _num_columns(self, width: float) -> int:
        longest = max((len(str(handle.get_label())) for handle in self.handles), default=0)
        fitting = int(width / (longest * _CHARACTER + _SAMPLE))
        return max(1, min(len(self.handles), fitting))
