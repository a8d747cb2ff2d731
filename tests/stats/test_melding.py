from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom, multinomial

from bench.stats.mcnemar import exact_p
from bench.stats.melding import melded_interval, p_at_most
from bench.stats.proportions import Proportion, clopper_pearson

TABLES = [(0, 0, 5), (1, 0, 5), (3, 2, 10), (10, 0, 10), (0, 7, 16), (1, 1, 30), (28, 1, 30)]


@cache
def outcomes(num_pairs: int) -> np.ndarray:
    """[outcomes, 2]: every (plus, minus)."""
    pairs = [(i, j) for i in range(num_pairs + 1) for j in range(num_pairs + 1 - i)]
    return np.array(pairs)


def by_quadrature(delta: float, plus: int, minus: int, total: int) -> float:
    """P(psi * (2 theta - 1) <= delta), with the two distributions as scipy has them."""
    theta, zeros = beta(plus, minus + 1), total - plus - minus

    def below(t: float) -> float:
        share = delta / (2 * t - 1)
        if delta >= 0:
            return float(theta.pdf(t) * beta.cdf(share, plus + minus, zeros + 1))
        return float(theta.pdf(t) * (beta.sf(share, plus + minus + 1, zeros) if zeros else 1.0))

    split = (1 + delta) / 2
    if delta >= 0:
        return float(theta.cdf(split)) + quad(below, split, 1, epsabs=1e-10, limit=200)[0]
    return float(quad(below, 0, split, epsabs=1e-10, limit=200)[0])


@pytest.mark.parametrize("table", [table for table in TABLES if table[0]])
@pytest.mark.parametrize("delta", [-0.5, -0.1, 0.0, 0.2, 0.7])
def test_p_is_the_integral_that_it_stands_for(table: tuple[int, int, int], delta: float) -> None:
    assert p_at_most(delta, *table) == pytest.approx(by_quadrature(delta, *table), abs=1e-5)


@pytest.mark.parametrize("table", TABLES)
def test_it_leaves_zero_out_if_and_only_if_mcnemar_rejects(table: tuple[int, int, int]) -> None:
    for confidence in (0.5, 0.9, 0.95, 0.99):
        low, high = melded_interval(*table, confidence)
        rejects = exact_p(*table[:2]) <= 1 - confidence
        assert (low > 1e-9 or high < -1e-9) == rejects


@pytest.mark.parametrize("total", [1, 5, 10, 30])
def test_without_a_difference_it_is_clopper_pearsons(total: int) -> None:
    expected = clopper_pearson(0, total)
    assert isinstance(expected, Proportion)
    assert melded_interval(0, 0, total) == pytest.approx((-expected.high, expected.high), abs=1e-8)


@pytest.mark.parametrize("table", TABLES)
def test_exchanging_the_two_mirrors_it(table: tuple[int, int, int]) -> None:
    plus, minus, total = table
    low, high = melded_interval(plus, minus, total)
    assert melded_interval(minus, plus, total) == (-high, -low)
    assert -1 <= low <= (plus - minus) / total <= high <= 1


@pytest.mark.parametrize("table", TABLES)
def test_p_grows_with_what_is_claimed_and_the_interval_inverts_it(
    table: tuple[int, int, int],
) -> None:
    ps = [p_at_most(delta, *table) for delta in np.linspace(-1.1, 1.1, 89)]
    assert ps[0] == 0
    assert ps[-1] == 1
    assert np.diff(ps).min() >= -1e-6
    low, _ = melded_interval(*table, 0.9)
    assert low == -1 or p_at_most(low, *table) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("num_pairs", [1, 2, 5, 10, 16])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_neither_end_errs_more_often_than_half_of_what_is_allowed(
    num_pairs: int, confidence: float
) -> None:
    """A sum over all outcomes, where the lower end errs most: right below each of its values."""
    tables = outcomes(num_pairs)
    lows = np.array([melded_interval(*pair, num_pairs, confidence)[0] for pair in tables.tolist()])
    for low in np.unique(lows[lows > -1]):
        delta = low - 1e-7
        nonzero = abs(delta) + (1 - abs(delta)) * np.linspace(0, 1, 41)
        shares = np.stack([(nonzero + delta) / 2, (nonzero - delta) / 2, 1 - nonzero], axis=-1)
        missed = tables[lows > delta]
        counts = np.column_stack([missed, num_pairs - missed.sum(axis=1)])
        errors = multinomial.pmf(counts[:, None], num_pairs, np.abs(shares)).sum(axis=0)
        assert errors.max() <= (1 - confidence) / 2


def test_all_pairs_alike_is_the_interval_of_a_share() -> None:
    """Where every pair differs and in the same way, only their number limits the lower end."""
    low, high = melded_interval(12, 0, 12)
    assert high == 1.0
    assert low < 2 * 0.025 ** (1 / 12) - 1  # theta's alone
    assert binom.pmf(12, 12, (1 + low) / 2) < 0.025


@pytest.mark.parametrize("table", [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_what_are_not_counts_of_pairs_is_refused(table: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="are not parts of"):
        melded_interval(*table)
