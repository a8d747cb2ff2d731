from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, bootstrap, norm, t

from bench.seeding import Stream
from bench.stats.bootstrap import (
    MeanOverBlocks,
    Method,
    difference_over_blocks,
    mean_over_blocks,
)
from bench.stats.bootstrap_intervals import bca_interval, expansion, percentile_interval
from bench.stats.estimates import NotEstimable
from bench.stats.resampling import means_over_blocks

METHODS: tuple[Method, ...] = ("percentile", "bca")


def scores(num_blocks: int, num_seeds: int, name: str = "a") -> np.ndarray:
    return Stream("test scores", name, seed=0).uniform((num_blocks, num_seeds)) ** 2


def over_blocks(*arguments: object, **settings: object) -> MeanOverBlocks:
    found = mean_over_blocks(*arguments, **settings)  # type: ignore[arg-type]
    assert isinstance(found, MeanOverBlocks)
    return found


def ends(found: MeanOverBlocks) -> tuple[float, float]:
    assert not isinstance(found.interval, NotEstimable)
    return found.interval


def test_by_all_draws_the_percentiles_are_those_of_the_exact_bootstrap_distribution() -> None:
    """All 6^6 draws of 6 seeds, instead of a random choice."""
    values = scores(3, 6)
    draws = np.array(list(itertools.product(range(6), repeat=6)))
    counts = np.stack([(draws == seed).sum(axis=1) for seed in range(6)]).astype(float)
    replicates = means_over_blocks(values, np.ones((3, 6), bool), counts)
    exact = values.mean(axis=0)[draws].mean(axis=1)
    np.testing.assert_allclose(np.sort(replicates), np.sort(exact), atol=1e-12)
    all_draws = percentile_interval(replicates, 6, 0.8)
    some = ends(over_blocks(values, confidence=0.8, num_replicates=100_000))
    assert not isinstance(all_draws, NotEstimable)
    assert some == pytest.approx(all_draws, abs=0.01)


@pytest.mark.parametrize("num", [6, 10, 1000])
def test_the_expansion_is_students_t_for_normal_data(num: int) -> None:
    expected = t.ppf(0.975, num - 1) / norm.ppf(0.975) * np.sqrt(num / (num - 1))
    assert expansion(num, 0.95) == pytest.approx(expected)


def test_many_seeds_agree_with_scipys_bca() -> None:
    """Both ends within 5 standard errors of a quantile of 20,000 replicates."""
    values = scores(1, 200)
    ours = ends(over_blocks(values, method="bca", num_replicates=20_000))
    oracle = bootstrap(
        (values[0],), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    )
    error = values.std() / np.sqrt(200) * np.sqrt(0.025 * 0.975 / 10_000) / norm.pdf(1.96)
    expanded = (expansion(200, 0.95) - 1) * 1.96 * values.std() / np.sqrt(200)
    assert abs(ours[0] - oracle.confidence_interval.low) < 5 * error + 2 * expanded
    assert abs(ours[1] - oracle.confidence_interval.high) < 5 * error + 2 * expanded


def test_seeds_that_are_lucky_in_every_block_widen_the_interval() -> None:
    """12 blocks that all say the same know no more than one: runs are not the unit."""
    one = scores(1, 10)
    assert ends(over_blocks(np.repeat(one, 12, axis=0))) == pytest.approx(ends(over_blocks(one)))
    apart = ends(over_blocks(scores(12, 10)))
    together = ends(over_blocks(np.repeat(one, 12, axis=0)))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_other_blocks_are_a_wider_question() -> None:
    values = scores(12, 20) * 0.1 + np.linspace(0, 0.9, 12)[:, None]
    here, alike = ends(over_blocks(values)), ends(over_blocks(values, resample_blocks=True))
    assert alike[0] < here[0] < here[1] < alike[1]


def test_pairs_with_a_missing_run_are_dropped_and_counted() -> None:
    first, second = scores(2, 8), scores(2, 8, "b")
    present = np.ones((2, 8), dtype=bool)
    present[0, 3] = present[1, 5] = False
    first[0, 3], second[1, 5] = np.nan, np.nan
    found = difference_over_blocks(first, second, present)
    assert isinstance(found, MeanOverBlocks)
    gaps = np.where(present, first - second, np.nan)
    assert found.mean == pytest.approx(np.nanmean(gaps, axis=1).mean())
    assert (found.num_dropped, found.num_blocks, found.num_seeds) == (2, 2, 8)


def test_pairing_removes_what_seeds_share() -> None:
    shared = scores(4, 10)
    paired = difference_over_blocks(shared + 0.01 * scores(4, 10, "b"), shared)
    assert isinstance(paired, MeanOverBlocks)
    low, high = ends(paired)
    assert high - low < 0.1 * np.diff(ends(over_blocks(shared)))[0]


@given(st.sampled_from(METHODS), st.integers(1, 4), st.integers(6, 9), st.integers(0, 10**6))
def test_a_change_of_units_changes_the_units_alone(
    method: Method, num_blocks: int, num_seeds: int, salt: int
) -> None:
    values = scores(num_blocks, num_seeds, str(salt))
    settings = {"method": method, "num_replicates": 200}
    low, high = ends(over_blocks(values, **settings))
    # By a power of two, so that nothing is rounded differently.
    assert ends(over_blocks(4 * values, **settings)) == pytest.approx((4 * low, 4 * high))
    assert low <= values.mean() <= high or method == "bca"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1.0])
def test_constant_scores_have_a_mean_and_no_interval(method: Method, value: float) -> None:
    found = over_blocks(np.full((3, 10), value), method=method)
    assert found.mean == pytest.approx(value)
    assert isinstance(found.interval, NotEstimable)
    assert "all draws of 10 seeds give" in found.interval.reason


@pytest.mark.parametrize("num", [1, 3, 5])
def test_few_seeds_have_no_interval(num: int) -> None:
    found = over_blocks(scores(12, num))
    assert isinstance(found.interval, NotEstimable)
    assert "drawing seeds needs 6" in found.interval.reason


def test_few_blocks_cannot_stand_for_others() -> None:
    found = over_blocks(scores(3, 20), resample_blocks=True)
    assert found.interval == NotEstimable("3 blocks: an interval by drawing blocks needs 6")


@pytest.mark.parametrize("method", METHODS)
def test_it_covers_as_often_as_it_says(method: Method) -> None:
    """400 samples of 12 blocks by 10 seeds: the coverage is between 0.90 and 0.99, or this had
    been seen less than once in 1e4."""
    draws = Stream("test of coverage", seed=0).uniform((400, 12, 10))
    found = [ends(over_blocks(values, method=method, num_replicates=1000)) for values in draws]
    covered = sum(low <= 0.5 <= high for low, high in found)
    assert binom.cdf(covered, 400, 0.90) > 1e-4
    assert binom.sf(covered - 1, 400, 0.99) > 1e-4


def test_bad_input_is_refused_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="worst score"):
        mean_over_blocks(np.array([[np.nan]]))
    with pytest.raises(ValueError, match="worst score"):
        difference_over_blocks(np.array([[np.inf]]), np.array([[np.inf]]))
    with pytest.raises(ValueError, match="percentile"):
        mean_over_blocks(scores(6, 6), method="bca", resample_blocks=True)
    assert mean_over_blocks(np.empty((0, 0))) == NotEstimable("no runs")
    gap = np.array([[True, True], [False, False]])
    assert mean_over_blocks(np.ones((2, 2)), gap) == NotEstimable("1 of 2 blocks have no run")


def test_an_estimate_outside_all_draws_has_no_bca() -> None:
    found = bca_interval(np.array([1.0, 2.0]), 3.0, np.array([1.0, 2.0]))
    assert isinstance(found, NotEstimable)
