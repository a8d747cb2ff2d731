from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from bench.seeding import Stream
from bench.stats.bounded_mean import bounded_mean_interval, bounded_ratio_interval
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion, clopper_pearson


def interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    found = bounded_mean_interval(values, 0.0, 1.0, confidence)
    assert not isinstance(found, NotEstimable)
    return found


@pytest.mark.parametrize(("count", "total"), [(0, 5), (3, 5), (10, 10), (9, 10), (13, 20)])
def test_of_zeros_and_ones_it_is_clopper_and_pearsons(count: int, total: int) -> None:
    """Within the error of 20,000 draws: 5 standard errors of a quantile."""
    exact = clopper_pearson(count, total)
    assert isinstance(exact, Proportion)
    found = interval(np.repeat([1.0, 0.0], [count, total - count]))
    for end, parameters, share in (
        (0, (count, total - count + 1), 0.025),
        (1, (count + 1, total - count), 0.975),
    ):
        truth = (exact.low, exact.high)[end]
        if truth in (0.0, 1.0):
            assert found[end] == pytest.approx(truth, abs=1e-12)
        else:
            error = np.sqrt(0.025 * 0.975 / 20_000) / beta.pdf(
                beta.ppf(share, *parameters), *parameters
            )
            assert abs(found[end] - truth) < 5 * error


@pytest.mark.parametrize("num", [3, 10])
def test_it_covers_skewed_means_at_least_as_often_as_it_says(num: int) -> None:
    """500 samples; were the coverage 0.95, so few would be seen less than once in 1e4."""
    uniform = Stream("test of bounded means", num, seed=0).uniform((500, num))
    covered = sum(low <= 0.25 <= high for low, high in map(interval, uniform**3))
    assert binom.cdf(covered, 500, 0.95) > 1e-4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.data())
def test_a_larger_value_lowers_neither_end(values: list[float], data: st.DataObject) -> None:
    larger = values.copy()
    index = data.draw(st.integers(0, len(values) - 1))
    larger[index] = data.draw(st.floats(values[index], 1))
    before, after = interval(np.array(values)), interval(np.array(larger))
    assert after[0] >= before[0] - 1e-12
    assert after[1] >= before[1] - 1e-12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_it_holds_the_mean(values: list[float]) -> None:
    low, high = interval(np.array(values))
    assert low <= np.mean(values) + 1e-12
    assert high >= np.mean(values) - 1e-12


def test_the_ratio_by_one_is_the_mean() -> None:
    values = np.array([0.1, 0.5, 0.3])
    ratio = bounded_ratio_interval(values, np.ones(3), (0.0, 1.0), (1.0, 1.0))
    assert ratio == interval(values)


def test_what_is_outside_is_refused_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        interval(np.array([1.5]))
    with pytest.raises(ValueError, match="not between 0 and 1"):
        interval(np.array([np.nan]))
    assert bounded_mean_interval(np.empty(0), 0, 1) == NotEstimable("no runs")
