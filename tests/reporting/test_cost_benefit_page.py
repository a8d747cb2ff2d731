from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.cost_benefit_page import (
    CostBenefit,
    draw_cost_benefit,
    draw_cost_benefit_page,
)
from bench.reporting.figures.style import drawing_style, line_styles
from bench.stats.estimates import NotEstimable
from tests.reporting.made_up_pages import LONG, MITIGATIONS, cost_benefit_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize(("num_columns", "names"), [(1, LONG), (3, MITIGATIONS)])
def test_the_page_can_be_read_and_says_what_is_missing(num_columns: int, names: list[str]) -> None:
    with drawing_style():
        figure = draw_cost_benefit_page(cost_benefit_page(num_columns, names))
        check_page(figure)
    assert "20 seeds" in all_text(figure)
    assert "without a bar: interval not estimable" in all_text(figure)


@pytest.mark.parametrize("ratio", [0.6, 1.001, 1.4, 7.0, 60.0])
def test_ticks_do_not_touch_whatever_the_cost(ratio: float) -> None:
    point = CostBenefit(ratio, (ratio * 0.99, ratio * 1.01), 0.1, (0.0, 0.2))
    page = cost_benefit_page(1)
    panel = page.panels[0]
    panel["clip_norm"] = point  # type: ignore[index]
    with drawing_style():
        check_page(draw_cost_benefit_page(page))


def test_the_change_is_in_percentage_points_and_the_baseline_is_the_cross_of_lines() -> None:
    ax = Figure().add_subplot()
    point = CostBenefit(1.5, (1.4, 1.6), -0.1, NotEstimable("all pairs agree"))
    styles = line_styles(["clip_norm"])
    assert draw_cost_benefit(ax, {"none": point, "clip_norm": point}, styles) is ax
    level, unit, dot = ax.lines
    assert list(level.get_ydata()) == [0, 0]
    assert list(unit.get_xdata()) == [1, 1]
    assert (list(dot.get_xdata()), list(dot.get_ydata())) == ([1.5], [-10.0])
    assert len(ax.collections) == 1
