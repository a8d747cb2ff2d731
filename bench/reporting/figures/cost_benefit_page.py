"""What a mitigation costs against what it does: both relative to the untreated baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from bench.reporting.figures.panel_grid import (
    Frame,
    add_frame,
    add_grid,
    say_nothing_to_draw,
)
from bench.reporting.figures.style import BASELINE_NAME, REFERENCE_LINE, LineStyle
from bench.stats.estimates import NotEstimable

_HEIGHT = 1.6
_TICKS = (0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20)
_APART = 0.13  # labels, as a part of the axis


@dataclass(frozen=True)
class CostBenefit:
    """One mitigation, relative to the baseline on the same seeds and machine."""

    time_ratio: float  # time of an update / the baseline's
    time_interval: tuple[float, float] | NotEstimable
    change: float  # of the share of runs that solve (or survive), -1 to 1
    change_interval: tuple[float, float] | NotEstimable


@dataclass(frozen=True)
class CostBenefitPage:
    title: str
    columns: Sequence[str]  # architectures
    panels: Sequence[Mapping[str, CostBenefit]]  # [columns], mitigation -> point
    benefit: str  # "solved" or "survived"
    note: str  # n, the kind of interval, and the machine of the timings
    styles: Mapping[str, LineStyle]  # from `line_styles` of all the report's mitigations


def draw_cost_benefit(
    ax: Axes, points: Mapping[str, CostBenefit], styles: Mapping[str, LineStyle]
) -> Axes:
    """Left is cheaper, up is better; the dashed lines are the baseline."""
    ax.axhline(0, zorder=1, **REFERENCE_LINE)
    ax.axvline(1, zorder=1, **REFERENCE_LINE)
    for name in [name for name in styles if name in points and name != BASELINE_NAME]:
        point, style = points[name], styles[name]
        look: dict[str, Any] = {"color": style.color, "linewidth": 0.7, "alpha": 0.75, "zorder": 3}
        if not isinstance(point.time_interval, NotEstimable):
            ax.hlines(100 * point.change, *point.time_interval, **look)
        if not isinstance(point.change_interval, NotEstimable):
            low, high = point.change_interval
            ax.vlines(point.time_ratio, 100 * low, 100 * high, **look)
        dot = style.as_line() | {"linestyle": "", "markersize": 5}
        ax.plot(point.time_ratio, 100 * point.change, **dot)
    return ax


def draw_cost_benefit_page(page: CostBenefitPage) -> Figure:
    drawn = {name for panel in page.panels for name in panel} - {BASELINE_NAME}
    handles = [
        Line2D([], [], label=name, **(style.as_line() | {"linestyle": "", "markersize": 5}))
        for name, style in page.styles.items()
        if name in drawn
    ]
    figure, (axes,) = add_frame(
        Frame(
            title=page.title,
            columns=page.columns,
            rows=[f"runs that {page.benefit}:\nchange, percentage points"],
            x_label=f"time of an update, relative to {BASELINE_NAME}",
            handles=[*handles, Line2D([], [], label=BASELINE_NAME, **REFERENCE_LINE)],
            note=page.note + _missing_bars(page),
            heights=[_HEIGHT],
        )
    )
    for ax, panel in zip(axes, page.panels, strict=True):
        draw_cost_benefit(ax, panel, page.styles)
        if not panel:
            say_nothing_to_draw(ax)
        add_grid(ax)
    _set_limits(axes, [point for panel in page.panels for point in panel.values()])
    return figure


def _set_limits(axes: Sequence[Axes], points: Sequence[CostBenefit]) -> None:
    """The same for all panels, with the baseline inside."""
    times, changes = [1.0], [0.0]
    for point in points:
        times.append(point.time_ratio)
        changes.append(100 * point.change)
        if not isinstance(point.time_interval, NotEstimable):
            times.extend(point.time_interval)
        if not isinstance(point.change_interval, NotEstimable):
            changes.extend(100 * end for end in point.change_interval)
    left, right = min(times) / 1.08, max(times) * 1.12
    ticks = _ticks(left, right)
    room = 0.06 * max(max(changes) - min(changes), 10)
    for ax in axes:
        ax.set_xscale("log")
        ax.set_xlim(left, right)
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}\u00d7" for tick in ticks]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_ylim(min(changes) - room, max(changes) + room)
        ax.yaxis.set_major_locator(MaxNLocator(5))


def _ticks(left: float, right: float) -> list[float]:
    """1, and round numbers on both sides whose labels do not touch."""
    apart = (right / left) ** _APART
    ticks = [1.0]
    for tick in sorted(_TICKS, key=lambda tick: (abs(tick - round(tick)) > 0, tick)):
        is_free = all(max(tick / other, other / tick) >= apart for other in ticks)
        if left <= tick <= right and is_free:
            ticks.append(tick)
    return sorted(ticks)


def _missing_bars(page: CostBenefitPage) -> str:
    points = [point for panel in page.panels for point in panel.values()]
    has_gap = any(
        isinstance(interval, NotEstimable)
        for point in points
        for interval in (point.time_interval, point.change_interval)
    )
    return "; without a bar: interval not estimable" if has_gap else ""
