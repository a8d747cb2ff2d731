from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.reporting.figures.profile_page import draw_profile_page, draw_profiles
from bench.reporting.figures.style import drawing_style, line_styles
from bench.stats.profiles import Profile, performance_profile
from tests.reporting.made_up_pages import MITIGATIONS, profile_page
from tests.reporting.page_layout import all_text, check_page


@pytest.mark.parametrize("num_columns", [1, 3])
def test_the_page_can_be_read_and_says_n(num_columns: int) -> None:
    with drawing_style():
        figure = draw_profile_page(profile_page(num_columns))
        check_page(figure)
    assert "12 blocks, each of the same weight, by 20 seeds" in all_text(figure)


def test_the_area_stands_in_the_legend_of_a_panel_by_itself() -> None:
    with drawing_style():
        page = profile_page(1, MITIGATIONS[:2])
        text = all_text(draw_profile_page(page))
    for name, profile in page.panels[0].items():
        assert f"{name} ({profile.area.mean:.2f})" in text


def test_few_seeds_have_a_line_and_no_band() -> None:
    profile = performance_profile(np.eye(3), num_replicates=50)
    assert isinstance(profile, Profile)
    ax = Figure().add_subplot()
    assert draw_profiles(ax, {"none": profile}, line_styles(["none"])) is ax
    assert not ax.collections
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * profile.share)
