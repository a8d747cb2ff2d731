from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.share_plot import ShareLine
from bench.reporting.figures.style import drawing_style, line_styles
from bench.reporting.figures.window_page import (
    WindowLine,
    draw_metrics,
    draw_window_page,
    draw_windows,
)
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion
from bench.stats.ranks import spread
from tests.reporting.made_up_pages import LONG, MITIGATIONS, window_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize(("num_columns", "names"), [(1, LONG), (3, MITIGATIONS)])
def test_the_page_can_be_read_and_says_n(num_columns: int, names: list[str]) -> None:
    with drawing_style():
        figure = draw_window_page(window_page(num_columns, names))
        check_page(figure)
    text = all_text(figure)
    assert "20 runs a point" in text
    assert "at least 18 of 20 runs survive" in text


def test_a_metric_of_which_more_is_better_has_its_crosses_below() -> None:
    page = replace(window_page(1), metric_is_logarithmic=False, higher_is_better=True)
    with drawing_style():
        figure = draw_window_page(page)
        check_page(figure)
    crosses = [line for line in figure.axes[1].lines if line.get_marker() == "x"]
    assert all((np.asarray(line.get_ydata()) < 0.5).all() for line in crosses)


def line(window: tuple[float, float] | None) -> WindowLine:
    rates = np.array([0.01, 0.1, 1.0])
    good = spread(np.array([1.0, 2, 3, 4]), np.zeros(4, bool), higher_is_better=False)
    bad = spread(np.array([1.0, 2, 3, 4]), np.arange(4) > 0, higher_is_better=False)
    shares = [Proportion(1, 1, 0, 1)] * 3
    return WindowLine(ShareLine(rates, shares), [good, bad, NotEstimable("no run")], window)


def test_what_has_no_finite_median_is_a_cross_and_not_left_out() -> None:
    ax = Figure().add_subplot()
    styles = line_styles(["clip_norm"])
    draw_metrics(
        ax, {"clip_norm": line(None)}, styles, is_logarithmic=False, higher_is_better=False
    )
    median, crosses = ax.lines
    np.testing.assert_array_equal(median.get_ydata(), [2.5, np.nan, np.nan])
    assert crosses.get_marker() == "x"
    np.testing.assert_allclose(crosses.get_xdata(), [0.1, 1.0])


@pytest.mark.parametrize(
    ("window", "text"),
    [
        ((0.01, 0.1), "1.0"),
        ((0.01, 1.0), "\N{GREATER-THAN OR EQUAL TO} 2.0"),
        (None, "no stable rate"),
    ],
)
def test_the_width_is_said_in_decades(window: tuple[float, float] | None, text: str) -> None:
    ax = Figure().add_subplot()
    draw_windows(ax, {"clip_norm": line(window)}, line_styles(["clip_norm"]))
    assert [one.get_text() for one in ax.texts] == [text]
