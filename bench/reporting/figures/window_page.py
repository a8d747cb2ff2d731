"""The learning-rate window: where runs survive, how well they end, and how wide it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from bench.reporting.figures.log_axis import power_of_ten
from bench.reporting.figures.panel_grid import (
    Frame,
    add_frame,
    add_grid,
    line_handles,
    runs_text,
    say_nothing_to_draw,
)
from bench.reporting.figures.share_plot import (
    ShareLine,
    draw_shares,
    room_sideways,
    shifted,
    smallest_gap,
)
from bench.reporting.figures.style import REFERENCE_LINE, LineStyle
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion
from bench.stats.ranks import Spread

_HEIGHT = 1.15
_BAR = 0.13  # height of one mitigation's window
_CROSS = 0.05  # height of one mitigation's row of crosses, of the axis
_ROOM = 0.3  # inches beside the highest rate, for the width of a window


@dataclass(frozen=True)
class WindowLine:
    """One mitigation over the sweep of learning rates."""

    survived: ShareLine  # runs neither diverged nor frozen
    metrics: Sequence[Spread | NotEstimable]  # [points], of the end of the runs
    window: tuple[float, float] | None  # lowest and highest stable learning rate; None: none


@dataclass(frozen=True)
class WindowPage:
    title: str
    columns: Sequence[str]  # architectures
    panels: Sequence[Mapping[str, WindowLine]]  # [columns], mitigation -> line
    metric: str  # its name and unit, for the axis
    metric_is_logarithmic: bool
    higher_is_better: bool
    stable: str  # the rule that makes a rate stable: "at least 9 of 10 runs survive"
    styles: Mapping[str, LineStyle]  # from `line_styles` of all the report's mitigations
    chance: float | None = None  # of the metric


def draw_metrics(
    ax: Axes,
    lines: Mapping[str, WindowLine],
    styles: Mapping[str, LineStyle],
    *,
    is_logarithmic: bool,
    higher_is_better: bool,
) -> Axes:
    """Median with quartiles; a cross on the bad edge where more than half have no number."""
    names = [name for name in styles if name in lines]
    gap = room_sideways([lines[name].survived.x for name in names])
    if is_logarithmic:
        ax.set_yscale("log")
    for order, name in enumerate(names):
        line, style = lines[name], styles[name]
        x = shifted(line.survived.x, order, len(names), gap)
        medians = np.array([_median(spread) for spread in line.metrics])
        known = np.isfinite(medians)
        for place, spread in zip(
            x[known], np.array(line.metrics, dtype=object)[known], strict=True
        ):
            low, high = _quartiles(spread)
            ax.vlines(place, low, high, color=style.color, linewidth=0.7, alpha=0.65)
        ax.plot(x, np.where(known, medians, np.nan), **style.as_line())
        if known.all():
            continue
        height = _CROSS * (order + 0.6)
        ax.plot(
            x[~known],
            np.full((~known).sum(), height if higher_is_better else 1 - height),
            transform=ax.get_xaxis_transform(),
            linestyle="",
            marker="x",
            markersize=3,
            color=style.color,
            clip_on=False,
        )
    return ax


def draw_windows(
    ax: Axes, lines: Mapping[str, WindowLine], styles: Mapping[str, LineStyle]
) -> Axes:
    """A bar from the lowest to the highest stable rate a mitigation, its decades beside it."""
    names = [name for name in styles if name in lines]
    for order, name in enumerate(names):
        window, style = lines[name].window, styles[name]
        ax.axhline(order, color="0.93", linewidth=0.4, zorder=0)
        text = "no stable rate"
        if window is not None:
            look = style.as_line() | {"linestyle": "-", "linewidth": 1.6, "markersize": 3.5}
            look["marker"] = style.marker or "|"
            ax.plot(window, (order, order), **look)
            beyond = window[1] >= lines[name].survived.x.max()  # perhaps stable further up
            text = ("\u2265 " if beyond else "") + _decades(window)
        ax.text(
            0.985,
            order,
            text,
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=6.5,
        )
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks([])
    return ax


def draw_window_page(page: WindowPage) -> Figure:
    shares = [line.survived for panel in page.panels for line in panel.values()]
    counts = [one.total for line in shares for one in line.shares if isinstance(one, Proportion)]
    most = max([1, *map(len, page.panels)])
    figure, (survival, metrics, windows) = add_frame(
        Frame(
            title=page.title,
            columns=page.columns,
            rows=["survived,\n% of runs", page.metric, "window,\ndecades"],
            x_label="learning rate",
            handles=[*line_handles(page.styles, page.panels), *_chance_handle(page)],
            note=f"{runs_text(counts, 'runs a point')}; survived: neither diverged nor froze, with "
            "exact 95\u00a0% intervals; middle: median and quartiles, a cross where more than half "
            "have no finite value; window: the widest stretch of rates at which "
            f"{page.stable} (\u2265: up to the highest tried)",
            heights=[_HEIGHT, _HEIGHT, _BAR * most + 0.08],
        )
    )
    rates = sorted({float(x) for line in shares for x in line.x})
    for index, panel in enumerate(page.panels):
        draw_shares(survival[index], panel_shares(panel), page.styles)
        draw_metrics(
            metrics[index],
            panel,
            page.styles,
            is_logarithmic=page.metric_is_logarithmic,
            higher_is_better=page.higher_is_better,
        )
        if page.chance is not None:
            metrics[index].axhline(page.chance, zorder=1, **REFERENCE_LINE)
        draw_windows(windows[index], panel, page.styles)
        for ax in (survival[index], metrics[index], windows[index]):
            if rates:
                _rate_axis(ax, rates, ax.bbox.width / figure.dpi)
            if not panel:
                say_nothing_to_draw(ax)
            if ax is not windows[index]:
                add_grid(ax)
    _same_limits(metrics, page, _CROSS * (most + 0.6) if _has_crosses(page) else 0.0)
    return figure


def _has_crosses(page: WindowPage) -> bool:
    lines = [line for panel in page.panels for line in panel.values()]
    return any(not math.isfinite(_median(one)) for line in lines for one in line.metrics)


def _chance_handle(page: WindowPage) -> list[Line2D]:
    return [] if page.chance is None else [Line2D([], [], label="chance level", **REFERENCE_LINE)]


def panel_shares(panel: Mapping[str, WindowLine]) -> dict[str, ShareLine]:
    return {name: line.survived for name, line in panel.items()}


def _rate_axis(ax: Axes, rates: Sequence[float], width: float) -> None:
    """`width` of the axis in inches."""
    low, high = math.log10(min(rates)), math.log10(max(rates))
    # Beside the outermost rates there are the points that were moved apart.
    gap = smallest_gap([np.array(rates)]) / math.log(10)
    margin = max(0.05 * max(high - low, 1), 0.25 * gap)
    free = _ROOM / width  # of the axis
    room = (high - low + 2 * margin) * free / (1 - free)
    ax.set_xscale("log")
    ax.set_xlim(10 ** (low - margin), 10 ** (high + margin + room))
    powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    ax.xaxis.set_major_locator(FixedLocator([10.0**power for power in powers]))
    ax.xaxis.set_major_formatter(FixedFormatter([power_of_ten(power) for power in powers]))
    ax.xaxis.set_minor_locator(NullLocator())


def _same_limits(axes: Sequence[Axes], page: WindowPage, crosses: float) -> None:
    """One y axis for all panels, of which the crosses have a part for themselves."""
    limits = [ax.get_ylim() for ax, panel in zip(axes, page.panels, strict=True) if panel]
    if not limits:
        return
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    if page.metric_is_logarithmic:
        low, high = math.log10(low), math.log10(high)
    room = (high - low) * crosses / (1 - crosses)
    bottom, top = (low - room, high) if page.higher_is_better else (low, high + room)
    for ax in axes:
        if page.metric_is_logarithmic:
            powers = [power for power in range(-99, 99) if low <= power <= high]
            powers = powers[:: max(1, -(-len(powers) // 5))]
            ax.set_ylim(10**bottom, 10**top)
            ax.yaxis.set_major_locator(FixedLocator([10.0**power for power in powers]))
            ax.yaxis.set_major_formatter(FixedFormatter([power_of_ten(power) for power in powers]))
            ax.yaxis.set_minor_locator(NullLocator())
        else:
            ax.set_ylim(bottom, top)
            ticks = MaxNLocator(5).tick_values(low, high)
            ax.yaxis.set_major_locator(FixedLocator([one for one in ticks if low <= one <= high]))
        if not crosses:
            continue
        corner = (0.0, 0.0 if page.higher_is_better else 1 - crosses)
        strip = Rectangle(corner, 1, crosses, transform=ax.transAxes, color="0.93", linewidth=0)
        strip.set_zorder(0.5)
        ax.add_patch(strip)


def _median(spread: Spread | NotEstimable) -> float:
    return math.inf if isinstance(spread, NotEstimable) else spread.median


def _quartiles(spread: Spread) -> tuple[float, float]:
    """Or the range of the runs where they are too few; infinity is beyond any axis."""
    low, high = spread.lower_quartile, spread.upper_quartile
    if isinstance(low, NotEstimable) or isinstance(high, NotEstimable):
        low, high = spread.lowest, spread.highest
    return (
        low if math.isfinite(low) else spread.median,
        high if math.isfinite(high) else spread.median,
    )


def _decades(window: tuple[float, float]) -> str:
    return f"{math.log10(window[1] / window[0]):.1f}"
