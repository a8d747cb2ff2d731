from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.profiles import Profile, fixed_scale, performance_profile

SCORES = st.lists(
    st.lists(st.one_of(st.just(-np.inf), st.floats(-1, 2)), min_size=6, max_size=6),
    min_size=1,
    max_size=4,
)


def profile(scores: np.ndarray, present: np.ndarray | None = None, **settings: object) -> Profile:
    found = performance_profile(scores, present, **settings)  # type: ignore[arg-type]
    assert isinstance(found, Profile)
    return found


def test_chance_is_zero_and_solved_is_one_whichever_is_larger() -> None:
    no = np.zeros(3, dtype=bool)
    np.testing.assert_allclose(
        fixed_scale(np.array([10, 50, 90]), no, chance=10, solved=90), [0, 0.5, 1]
    )
    np.testing.assert_allclose(
        fixed_scale(np.array([0.2, 0.1, 0]), no, chance=0.2, solved=0), [0, 0.5, 1]
    )


def test_a_run_that_diverged_reaches_nothing() -> None:
    metrics = np.array([0.9, np.nan, np.inf, 0.5])
    found = fixed_scale(metrics, np.array([True, False, False, False]), chance=0, solved=1)
    assert list(found) == [-np.inf, -np.inf, -np.inf, 0.5]
    assert profile(np.repeat(found[None], 6, axis=0)).share[0] == 0.25


@settings(max_examples=15)
@given(SCORES)
def test_it_counts_falls_and_its_area_is_the_mean_of_cut_scores(rows: list[list[float]]) -> None:
    scores = np.array(rows)
    found = profile(scores, num_replicates=50)
    counted = [(scores >= level).mean() for level in found.thresholds]
    np.testing.assert_allclose(found.share, counted, atol=1e-12)
    assert (np.diff(found.share) <= 1e-12).all()
    assert found.area.mean == pytest.approx(np.clip(scores, 0, 1).mean())
    fine = profile(scores, thresholds=np.linspace(0, 1, 501), num_replicates=10)
    area = np.trapezoid(fine.share, fine.thresholds)
    assert found.area.mean == pytest.approx(area, abs=2e-3)
    if not isinstance(found.band, NotEstimable):
        low, high = found.band
        assert (low >= 0).all()
        assert (low <= found.share + 1e-12).all()
        assert (found.share <= high + 1e-12).all()
        assert (high <= 1).all()


def test_every_block_weighs_the_same_and_missing_runs_are_counted() -> None:
    scores = np.array([[1.0] * 8, [0.0] * 8])
    present = np.ones((2, 8), dtype=bool)
    present[1, 2:] = False
    found = profile(scores, present)
    assert found.share[50] == 0.5
    assert (found.num_dropped, found.num_blocks, found.num_seeds) == (6, 2, 8)


@pytest.mark.parametrize(("num_blocks", "num_seeds"), [(1, 10), (8, 10), (8, 20)])
def test_the_band_holds_the_whole_curve_as_often_as_it_says(
    num_blocks: int, num_seeds: int
) -> None:
    """150 samples; were the coverage 0.93, so few would be seen less than once in 1e4."""
    levels = np.linspace(0, 1, 21)
    uniform = Stream("test of bands", num_blocks, seed=0).uniform((150, num_blocks, num_seeds))
    covered = 0
    for scores in uniform:
        band = profile(scores, thresholds=levels, num_replicates=400).band
        assert not isinstance(band, NotEstimable)
        covered += bool(((band[0] <= 1 - levels) & (1 - levels <= band[1])).all())
    assert binom.cdf(covered, 150, 0.93) > 1e-4


def test_few_seeds_and_equal_curves_have_no_band() -> None:
    few = profile(np.eye(3)).band
    assert few == NotEstimable("3 seeds: a band by drawing seeds needs 6")
    same = profile(np.ones((4, 10)))
    assert same.band == NotEstimable("all draws of 10 seeds give the same curve")
    assert same.area.mean == 1


def test_bad_input_is_refused_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="no scale"):
        fixed_scale(np.zeros(1), np.zeros(1, bool), chance=0.5, solved=0.5)
    with pytest.raises(ValueError, match="minus infinity"):
        performance_profile(np.array([[np.nan]]))
    assert performance_profile(np.empty((0, 0))) == NotEstimable("no runs")
