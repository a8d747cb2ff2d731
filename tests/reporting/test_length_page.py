from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.length_page import draw_length_page
from bench.reporting.figures.saving import FORMATS, encode
from bench.reporting.figures.share_plot import ShareLine, draw_shares, label_settings
from bench.reporting.figures.style import drawing_style, line_styles
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion
from tests.reporting.made_up_pages import LONG, MITIGATIONS, length_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize(("num_columns", "names"), [(2, LONG), (3, MITIGATIONS)])
def test_the_page_can_be_read_and_says_n(num_columns: int, names: list[str]) -> None:
    with drawing_style():
        figure = draw_length_page(length_page(num_columns, names))
        check_page(figure)
    assert "20 runs a point" in all_text(figure)


def test_shares_stand_in_per_cent_with_their_intervals() -> None:
    ax = Figure().add_subplot()
    shares = [Proportion(1, 4, 0.01, 0.8), NotEstimable("no runs"), Proportion(4, 4, 0.4, 1.0)]
    lines = {"clip_norm": ShareLine(np.array([50.0, 100.0, 200.0]), shares)}
    assert draw_shares(ax, lines, line_styles(["clip_norm"])) is ax
    (line,) = ax.lines
    assert list(line.get_ydata()) == [25, 100]
    assert list(line.get_xdata()) == pytest.approx([50, 200])
    (bars,) = ax.collections
    ends = [path.vertices[:, 1].tolist() for path in bars.get_paths()]
    assert ends == [[1, 80], [40, 100]]


def test_mitigations_keep_their_order_and_their_colour_whoever_is_drawn() -> None:
    styles = line_styles(MITIGATIONS)
    line = ShareLine(np.array([50.0, 100.0]), [Proportion(1, 2, 0, 1)] * 2)
    ax = Figure().add_subplot()
    draw_shares(ax, {"omega": line, "clip_norm": line}, styles)
    assert [one.get_color() for one in ax.lines] == [
        styles["clip_norm"].color,
        styles["omega"].color,
    ]
    first, second = (one.get_xdata()[0] for one in ax.lines)
    assert first < 50 < second


def test_every_length_has_its_tick() -> None:
    ax = Figure().add_subplot()
    label_settings(ax, [50, 100, 400], ["50", "100", "400"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["50", "100", "400"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_encodes_to_the_same_bytes_twice(suffix: str) -> None:
    with drawing_style():
        one, other = (encode(draw_length_page(length_page(1)), suffix) for _ in range(2))
    assert one == other


def test_an_architecture_that_has_nothing_says_so() -> None:
    page = length_page(2)
    page.solved[1].clear()  # type: ignore[attr-defined]
    with drawing_style():
        assert "not recorded" in all_text(draw_length_page(page))


def test_points_moved_apart_stay_nearer_to_their_setting_than_to_its_neighbour() -> None:
    names = ["none", *(f"m{index}" for index in range(5))]
    for lengths in ([10.0, 30.0], [10.0, 30.0, 90.0, 270.0]):
        line = ShareLine(np.array(lengths), [Proportion(1, 2, 0, 1)] * len(lengths))
        ax = Figure().add_subplot()
        draw_shares(ax, dict.fromkeys(names, line), line_styles(names))
        moved = np.array([one.get_xdata() for one in ax.lines])
        decades = np.log(lengths[-1] / lengths[0])
        assert (np.abs(np.log(moved / lengths)) < 0.08 * decades).all()
