from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, permutation_test

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.sign_flip_interval import sign_flip_interval

DIFFERENCES = st.lists(st.integers(-50, 50), min_size=6, max_size=9).filter(
    lambda values: len(set(values)) > 1
)


def interval(differences: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    found = sign_flip_interval(differences, confidence)
    assert not isinstance(found, NotEstimable)
    return found


def p_value(differences: np.ndarray) -> float:
    """Two-sided, as twice the smaller side."""
    found = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    return float(found.pvalue)


@given(DIFFERENCES)
def test_it_holds_the_shifts_that_scipys_exact_sign_flip_test_keeps(values: list[int]) -> None:
    differences = np.array(values, dtype=float)
    low, high = interval(differences)
    gap = 1e-6
    assert p_value(differences - (low - gap)) <= 0.05 + 1e-12
    assert p_value(differences - (high + gap)) <= 0.05 + 1e-12
    if high - low > 4 * gap:
        assert p_value(differences - (low + gap)) > 0.05 - 1e-12
        assert p_value(differences - (high - gap)) > 0.05 - 1e-12


@pytest.mark.parametrize("num", [6, 8, 10])
def test_every_pattern_of_signs_is_covered_as_often_as_it_says(num: int) -> None:
    """By going through all 2^n signs of fixed sizes, for a true centre of 3."""
    sizes = 1.7 ** np.arange(num) + 0.1
    covered = [
        low <= 3 <= high
        for signs in itertools.product((-1, 1), repeat=num)
        for low, high in [interval(3 + np.array(signs) * sizes, 0.9)]
    ]
    assert 0.9 <= np.mean(covered) <= 0.9 + 2.0 / 2 ** (num - 1)


def test_many_pairs_use_a_fixed_choice_of_subsets_and_still_cover() -> None:
    """300 samples; were the coverage 0.95, so few or so many would be seen once in 2e4."""
    draws = Stream("test of sign flips", seed=1).normal((300, 20))
    covered = sum(low <= 0 <= high for low, high in map(interval, draws))
    assert 2.5e-5 < binom.cdf(covered, 300, 0.95) < 1 - 2.5e-5
    assert interval(draws[0]) == interval(draws[0])


@given(DIFFERENCES)
def test_swapping_the_methods_mirrors_it(values: list[int]) -> None:
    low, high = interval(np.array(values, dtype=float))
    assert interval(-np.array(values, dtype=float)) == pytest.approx((-high, -low))
    assert low <= np.mean(values) <= high


@pytest.mark.parametrize("num", range(6))
def test_five_pairs_cannot_support_it(num: int) -> None:
    found = sign_flip_interval(np.arange(num, dtype=float))
    assert isinstance(found, NotEstimable)
    assert "needs 6" in found.reason


def test_equal_differences_show_no_spread() -> None:
    found = sign_flip_interval(np.zeros(10))
    assert found == NotEstimable("all 10 differences are 0: no spread to judge by")


def test_infinity_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        sign_flip_interval(np.array([1.0, np.inf]))
