"""Performance profiles: the share of runs that reach each score, on the fixed scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

from bench.reporting.figures.panel_grid import (
    Frame,
    add_frame,
    add_grid,
    line_handles,
    runs_text,
    say_nothing_to_draw,
)
from bench.reporting.figures.style import LineStyle
from bench.stats.estimates import NotEstimable
from bench.stats.profiles import Profile

_HEIGHT = 1.7


@dataclass(frozen=True)
class ProfilePage:
    title: str
    columns: Sequence[str]  # architectures, or "all blocks"
    panels: Sequence[Mapping[str, Profile]]  # [columns], mitigation -> profile
    styles: Mapping[str, LineStyle]  # from `line_styles` of all the report's mitigations


def draw_profiles(
    ax: Axes, profiles: Mapping[str, Profile], styles: Mapping[str, LineStyle]
) -> Axes:
    """A line with its uniform band a mitigation; a higher line is better."""
    names = [name for name in styles if name in profiles]
    for order, name in enumerate(names):
        profile, style = profiles[name], styles[name]
        if not isinstance(profile.band, NotEstimable):
            low, high = (100 * end for end in profile.band)
            ax.fill_between(
                profile.thresholds, low, high, color=style.color, alpha=0.1, linewidth=0, zorder=2
            )
        ax.plot(
            profile.thresholds,
            100 * profile.share,
            markevery=(0.03 + 0.03 * order, 0.22),
            **style.as_line(),
        )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 103)
    ax.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.xaxis.set_major_formatter(FixedFormatter(["0", "", "0.5", "", "1"]))
    ax.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    return ax


def draw_profile_page(page: ProfilePage) -> Figure:
    every = [profile for panel in page.panels for profile in panel.values()]
    seeds = runs_text([profile.num_seeds for profile in every], "seeds")
    blocks = runs_text([profile.num_blocks for profile in every], "blocks")
    figure, (axes,) = add_frame(
        Frame(
            title=page.title,
            columns=page.columns,
            rows=["runs that reach it, %"],
            x_label="score (0: chance level, 1: solved)",
            handles=line_handles(page.styles, page.panels, _areas(page)),
            note=f"{blocks}, each of the same weight, by {seeds}; bands: 95\u00a0% for the whole "
            "curve, by drawing seeds again"
            + ("; in brackets: area under the curve" if len(page.columns) == 1 else ""),
            heights=[_HEIGHT],
        )
    )
    for ax, panel in zip(axes, page.panels, strict=True):
        draw_profiles(ax, panel, page.styles)
        first, *_, last = ax.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        if not panel:
            say_nothing_to_draw(ax)
        add_grid(ax)
    return figure


def _areas(page: ProfilePage) -> dict[str, str]:
    """In the legend, where there is but one panel that they can belong to."""
    if len(page.columns) != 1:
        return {}
    return {name: f"{name} ({one.area.mean:.2f})" for name, one in page.panels[0].items()}
