"""Success and divergence against the length of the sequence: one column an architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from bench.reporting.figures.panel_grid import (
    Frame,
    add_frame,
    add_grid,
    line_handles,
    runs_text,
    say_nothing_to_draw,
)
from bench.reporting.figures.share_plot import ShareLine, draw_shares, label_settings
from bench.reporting.figures.style import LineStyle
from bench.stats.proportions import Proportion

_HEIGHT = 1.2


@dataclass(frozen=True)
class LengthPage:
    """Shares of runs that solved, and that diverged, by sequence length (or depth)."""

    title: str  # the task and what else is fixed
    columns: Sequence[str]  # architectures
    solved: Sequence[Mapping[str, ShareLine]]  # [columns], mitigation -> line
    diverged: Sequence[Mapping[str, ShareLine]]
    styles: Mapping[str, LineStyle]  # from `line_styles` of all the report's mitigations
    x_label: str = "sequence length (time steps)"


def draw_length_page(page: LengthPage) -> Figure:
    lines = [line for panel in (*page.solved, *page.diverged) for line in panel.values()]
    counts = [one.total for line in lines for one in line.shares if isinstance(one, Proportion)]
    figure, (above, below) = add_frame(
        Frame(
            title=page.title,
            columns=page.columns,
            rows=["solved, % of runs", "diverged, % of runs"],
            x_label=page.x_label,
            handles=line_handles(page.styles, [*page.solved, *page.diverged]),
            note=f"{runs_text(counts, 'runs a point')}; bars: exact 95\u00a0% intervals (Clopper "
            "and Pearson); lines at the same length are moved apart sideways",
            heights=[_HEIGHT, _HEIGHT],
        )
    )
    lengths = sorted({float(x) for line in lines for x in line.x})
    for axes, panels in ((above, page.solved), (below, page.diverged)):
        for ax, panel in zip(axes, panels, strict=True):
            draw_shares(ax, panel, page.styles)
            if lengths:
                label_settings(ax, lengths, [f"{length:g}" for length in lengths])
            if not panel:
                say_nothing_to_draw(ax)
            add_grid(ax)
    return figure
