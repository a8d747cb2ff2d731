from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.style import drawing_style
from bench.reporting.figures.threshold_map_page import draw_map, draw_threshold_map_page
from tests.reporting.made_up_pages import threshold_map_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize(("num_maps", "has_gaps"), [(2, False), (1, True)])
def test_the_page_can_be_read_and_says_n(num_maps: int, has_gaps: bool) -> None:
    with drawing_style():
        figure = draw_threshold_map_page(threshold_map_page(num_maps, has_gaps=has_gaps))
        check_page(figure)
    text = all_text(figure)
    assert ("/9" in text) if has_gaps else ("of 10 a cell" in text)


def test_counts_stand_in_the_cells_and_empty_ones_are_hatched() -> None:
    ax = Figure().add_subplot()
    counts, num_runs = np.array([[0, 3], [10, 0]]), np.array([[10, 10], [10, 0]])
    found = draw_map(ax, counts, num_runs, matplotlib.colormaps["Oranges"], with_totals=True)
    assert found is ax
    assert [text.get_text() for text in ax.texts] == ["0/10", "3/10", "10/10"]
    assert [text.get_color() for text in ax.texts] == ["black", "black", "white"]
    assert [patch.get_hatch() for patch in ax.patches] == ["////"]
