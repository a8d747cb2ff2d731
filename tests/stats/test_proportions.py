from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom
from statsmodels.stats.proportion import proportion_confint

from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion, clopper_pearson

COUNTS = [(count, total) for total in (1, 2, 5, 10, 30) for count in range(total + 1)]


def interval(count: int, total: int, confidence: float = 0.95) -> Proportion:
    found = clopper_pearson(count, total, confidence)
    assert isinstance(found, Proportion)
    return found


@pytest.mark.parametrize(("count", "total"), COUNTS)
def test_the_ends_are_quantiles_of_beta_distributions(count: int, total: int) -> None:
    found = interval(count, total)
    low = beta.ppf(0.025, count, total - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, total - count) if count < total else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)


@pytest.mark.parametrize(("count", "total"), COUNTS)
def test_it_agrees_with_statsmodels(count: int, total: int) -> None:
    found = interval(count, total, 0.9)
    expected = proportion_confint(count, total, alpha=0.1, method="beta")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("total", [1, 3, 5, 10, 20])
def test_it_covers_every_true_share_at_least_as_often_as_it_says(total: int) -> None:
    """By summing over all outcomes, not by simulation."""
    truths = np.linspace(0.001, 0.999, 333)
    counts = np.arange(total + 1)
    found = [interval(int(count), total) for count in counts]
    low, high = (np.array([getattr(one, end) for one in found])[:, None] for end in ("low", "high"))
    covered = (low <= truths) & (truths <= high)
    coverage = (binom.pmf(counts[:, None], total, truths) * covered).sum(axis=0)
    assert coverage.min() >= 0.95


@pytest.mark.parametrize(("count", "total"), COUNTS)
def test_counting_the_other_outcome_mirrors_the_interval(count: int, total: int) -> None:
    found, mirrored = interval(count, total), interval(total - count, total)
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-10)
    assert found.low <= found.share <= found.high


def test_without_runs_there_is_no_interval() -> None:
    assert clopper_pearson(0, 0) == NotEstimable("no runs")


@pytest.mark.parametrize(("count", "total"), [(-1, 5), (6, 5)])
def test_what_is_not_a_share_is_refused(count: int, total: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        clopper_pearson(count, total)
