from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.incidence_page import (
    IncidencePage,
    SolvedAndDiverged,
    draw_incidence,
    draw_incidence_page,
)
from bench.reporting.figures.style import drawing_style, line_styles
from bench.stats.incidence import Cause, Incidence
from tests.reporting.made_up_pages import LONG, MITIGATIONS, competing, incidence_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize(("num_columns", "names"), [(1, LONG), (3, MITIGATIONS)])
def test_the_page_can_be_read_and_says_n(num_columns: int, names: list[str]) -> None:
    with drawing_style():
        figure = draw_incidence_page(incidence_page(num_columns, names))
        check_page(figure)
    assert "20 runs a curve" in all_text(figure)


def curve(cause: Cause, share: float) -> Incidence:
    shares = np.array([0.0, share])
    return Incidence(cause, 10, np.array([0.0, 50.0]), shares, shares / 2, shares * 1.2, 100.0)


def test_solved_goes_up_and_diverged_down_with_the_interval_beside_the_end() -> None:
    ax = Figure().add_subplot()
    pair = SolvedAndDiverged(curve(Cause.SOLVED, 0.4), curve(Cause.DIVERGED, 0.2))
    assert draw_incidence(ax, {"clip_norm": pair}, line_styles(["clip_norm"])) is ax
    up, up_end, down, down_end = ax.lines[:4]
    assert list(up.get_xdata()) == [0, 50, 100]
    assert list(up.get_ydata()) == [0, 40, 40]
    assert list(down.get_ydata()) == [0, -20, -20]
    assert up_end.get_ydata() == [40]
    assert down_end.get_ydata() == [-20]
    assert up_end.get_xdata()[0] > 100
    bars = [collection.get_paths()[0].vertices[:, 1].tolist() for collection in ax.collections]
    assert bars == [pytest.approx([20, 48]), pytest.approx([-24, -10])]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["100", "50", "0", "50", "100"]


@pytest.mark.parametrize(("hazard", "lowest"), [(0.0, -55), (0.8, -105)])
def test_half_of_the_lower_part_is_left_out_where_nothing_is_in_it(
    hazard: float, lowest: float
) -> None:
    curves = {"clip_norm": competing(0.5, hazard, "some")}
    page = IncidencePage("adding", ["lstm"], [curves], line_styles(["clip_norm"]))
    with drawing_style():
        figure = draw_incidence_page(page)
    (ax,) = figure.axes
    assert ax.get_ylim()[0] == lowest
    assert 100 * curves["clip_norm"].diverged.high.max() <= -lowest
    assert {"solved, %", "diverged, %"} == {text.get_text() for text in ax.texts}
