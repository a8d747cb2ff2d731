from __future__ import annotations

import itertools
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from bench.reporting.analysis import Analysis, analyse
from bench.reporting.bands import Band, Trace
from bench.reporting.cells import distinct
from bench.reporting.figure_files import slugs
from bench.reporting.figures.band_plot import draw_bands
from bench.reporting.figures.line_page import draw_line_page
from bench.reporting.figures.log_axis import LogScale, log_scale, tick_powers
from bench.reporting.figures.matrix_page import draw_matrix_page
from bench.reporting.figures.outcome_matrix import draw_outcome_matrix
from bench.reporting.figures.saving import FORMATS, encode
from bench.reporting.figures.style import MAX_LINES, drawing_style, line_styles
from bench.reporting.pages.curves import PanelCells, curve_pages, read_panel
from bench.reporting.pages.flow import flow_pages
from bench.reporting.pages.matrix import matrix_pages
from bench.reporting.pages.panels import by_panel, chunks, cut_names
from tests.reporting.made_up import stored, story, whole_report

VALUES = st.lists(
    st.one_of(st.floats(0, 1.7e308), st.just(np.inf), st.just(0.0)), min_size=1, max_size=20
)


@given(VALUES, st.sampled_from([np.inf, 1e4]))
def test_every_value_is_drawn_on_the_axis_and_in_order(values: list[float], ceiling: float) -> None:
    curve = np.sort(np.array(values))
    scale = log_scale([curve], ceiling)
    assert scale is not None
    placed = scale.place(curve)
    assert (placed >= scale.floor - 1e-9).all()
    assert (placed <= scale.edge + 1e-9).all()
    assert (np.diff(placed) >= -1e-9).all()
    with np.errstate(divide="ignore"):
        powers = np.log10(curve)
    beyond = powers > scale.top
    np.testing.assert_allclose(placed[beyond], scale.strip)
    inside = (curve > 0) & ~beyond
    np.testing.assert_allclose(placed[inside], powers[inside])
    assert bool(scale.beyond) == beyond.any()


def test_what_is_beyond_is_named() -> None:
    def name(*values: float, ceiling: float = np.inf) -> str:
        scale = log_scale([np.array(values)], ceiling)
        assert scale is not None
        return scale.beyond

    assert name(1.0, 100.0) == ""
    assert name(1.0, np.inf) == r"$\infty$"
    assert name(1.0, 1e9, ceiling=1e4) == r"$>\!10^{4}$"


@given(st.integers(-320, 300), st.integers(2, 600), st.sampled_from(["", "x"]))
def test_ticks_are_few_and_none_touches_the_strip(bottom: int, decades: int, beyond: str) -> None:
    scale = LogScale(bottom, bottom + decades, beyond)
    ticks = tick_powers(scale)
    assert 1 <= len(ticks) <= 6
    assert all(scale.bottom <= tick <= scale.top for tick in ticks)


def test_nothing_to_draw_has_no_scale() -> None:
    assert log_scale([]) is None


def band(values: list[float], ending: str | None = None) -> Band:
    y = np.array(values, dtype=float)
    x = np.arange(1.0, y.size + 1)
    return Band(x, y, (y, y), [Trace(x, y, ending)] if ending else [])


def test_a_diverged_run_ends_in_a_cross_at_its_last_point() -> None:
    ax = Figure().add_subplot()
    bands = {"none": band([1.0, 1e3, np.inf], "diverged")}
    scale = log_scale([bands["none"].median])
    assert scale is not None
    draw_bands(ax, bands, line_styles(["none"]), scale)
    (cross,) = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert list(cross.get_xdata()) == [3.0]
    assert list(cross.get_ydata()) == [scale.strip]


def test_drawing_returns_the_axes_it_was_given() -> None:
    ax = Figure().add_subplot()
    assert draw_bands(ax, {"a": band([1.0, 2.0])}, line_styles(["a"]), LogScale(0, 2)) is ax
    assert draw_outcome_matrix(ax, np.zeros((1, 1)), [["x"]], ["a"], ["b"]) is ax


def test_the_matrix_says_in_words_what_it_says_in_colour() -> None:
    ax = Figure().add_subplot()
    texts = [["5/5 div.", "0/5 div."], ["not run", "2/5 div."]]
    draw_outcome_matrix(ax, np.array([[1.0, 0.0], [np.nan, 0.4]]), texts, ["a", "b"], ["c", "d"])
    assert [text.get_text() for text in ax.texts] == list(itertools.chain(*texts))
    assert [patch.get_hatch() for patch in ax.patches] == ["////"]
    assert [text.get_color() for text in ax.texts] == ["white", "black", "0.25", "black"]


def test_lines_can_be_told_apart_without_colour() -> None:
    styles = line_styles(["none", *(f"m{index}" for index in range(40))])
    looks = [(style.dashes, style.marker) for style in styles.values()]
    for start in range(len(looks) - MAX_LINES):
        assert len(set(looks[start : start + MAX_LINES + 1])) == MAX_LINES + 1
    colours = [(style.color, style.marker) for style in styles.values()]
    assert len(set(colours)) == len(colours)


def test_importing_and_drawing_leave_matplotlibs_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    with drawing_style():
        encode(draw_matrix_page(matrix_pages(whole(), {}, [])[0]), "png")
    assert dict(matplotlib.rcParams) == before


def whole() -> Analysis:
    return analyse(stored(whole_report()))


def panels(found: Analysis) -> list[PanelCells]:
    return [read_panel(name, members, []) for name, members in by_panel(found.summaries)]


def long_names() -> Analysis:
    """Every label as long as it may become, and more mitigations than a panel holds."""
    runs = [
        story(
            0,
            kind=kind,
            mitigation=mitigation,
            settings={
                "adding": {"length": length},
                "rnn_tanh": {"gain": gain},
                "clip_norm": {"threshold": gain * 1.00001},
            },
        )
        for length in (100, 200)
        for gain in (1.0, 1.23456)
        for kind, mitigation in (
            ("explodes", "none"),
            ("learns", "orthogonal+clip_norm+weight_decay+layer_norm"),
            *(("stuck", f"method_{index}") for index in range(6)),
        )
    ]
    return analyse(stored(runs))


@pytest.mark.parametrize("analysed", [whole, long_names])
def test_no_text_leaves_the_page_and_no_legend_covers_data(
    analysed: Callable[[], Analysis],
) -> None:
    found = analysed()
    styles = line_styles(distinct(cell.mitigation for cell in found.cells))
    with drawing_style():
        lines = [
            draw_line_page(page)
            for panel in panels(found)[:2]
            for page in (*curve_pages(panel, styles), *flow_pages(panel, styles))
        ]
        matrices = [draw_matrix_page(page) for page in matrix_pages(found, styles, [])]
        for figure in [*lines, *matrices]:
            FigureCanvasAgg(figure).draw()
            check_layout(figure)


def check_layout(figure: Figure) -> None:
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= drawn.x0 <= drawn.x1 <= width
    assert 0 <= drawn.y0 <= drawn.y1 <= height
    boxes = [ax.get_window_extent() for ax in figure.axes]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for legend in figure.findobj(Legend):
        assert not any(legend.get_window_extent().overlaps(box) for box in boxes)


def test_many_architectures_and_mitigations_fill_more_pages_not_smaller_panels() -> None:
    places = [
        (f"a{index}", mitigation)
        for index in range(8)
        for mitigation in ("none", *(f"m{index}" for index in range(7)))
    ]
    pages = list(cut_names(places))
    shown = {(row, column) for rows, columns in pages for row in rows for column in columns}
    assert len(pages) == 4
    assert shown == set(places)
    assert max(len(architectures) for architectures, _ in pages) == 4
    assert all("none" in mitigations for _, mitigations in pages)


def test_pages_are_even() -> None:
    assert [len(chunk) for chunk in chunks(list("abcdefgh"), 7)] == [4, 4]
    assert chunks([], 7) == []


def test_file_names_are_plain_and_never_the_same() -> None:
    labels = [
        "a (lr=0.1)",
        "a (lr=0,1)",
        "a lr 0 1",
        "b" * 300,
        "b" * 301,
        "\N{GREEK SMALL LETTER MU}",
    ]
    found = slugs(labels)
    assert list(found) == labels
    assert len(set(found.values())) == len(labels)
    assert all(len(slug) < 200 for slug in found.values())


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_figure_encodes_to_the_same_bytes_twice(suffix: str) -> None:
    with drawing_style():
        (first,) = matrix_pages(whole(), {}, [])
        twice = [encode(draw_matrix_page(first), suffix) for _ in range(2)]
    assert twice[0] == twice[1]
    assert b"CreationDate" not in twice[0]
