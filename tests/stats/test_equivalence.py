from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, multinomial

from bench.seeding import Stream
from bench.stats.equivalence import (
    Equivalence,
    Verdict,
    preference_within,
    ratio_within,
    risks_within,
)
from bench.stats.estimates import NotEstimable
from bench.stats.melding import melded_interval

SIGNS = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=25)
LOGS = st.lists(st.floats(-1, 1), min_size=1, max_size=25)


def certain(found: Equivalence | NotEstimable) -> Equivalence:
    assert isinstance(found, Equivalence)
    return found


def risks(signs: list[float], margin: float) -> Equivalence:
    array = np.array(signs)
    return certain(risks_within(margin, array == 1, array == -1))


def check_that_interval_and_verdict_agree(found: Equivalence) -> None:
    inside = found.smallest < found.low and found.high < found.largest
    assert inside == (found.verdict is Verdict.EQUIVALENT)
    if found.verdict is Verdict.DIFFERENT:
        assert found.high < found.smallest or found.low > found.largest
    assert found.low <= found.estimate <= found.high


@given(SIGNS, st.sampled_from([0.05, 0.2, 0.35, 0.6]))
def test_risks_are_equivalent_where_the_interval_is_within_the_margins(
    signs: list[float], margin: float
) -> None:
    found = risks(signs, margin)
    check_that_interval_and_verdict_agree(found)
    counts = signs.count(1), signs.count(-1), len(signs)
    assert (found.low, found.high) == melded_interval(*counts, 1 - 2 * 0.05)


@given(SIGNS, st.sampled_from([0.05, 0.2, 0.45]))
def test_preference_is_the_same_on_half_the_scale(signs: list[float], margin: float) -> None:
    found = certain(preference_within(margin, np.array(signs)))
    check_that_interval_and_verdict_agree(found)
    on_risks = risks(signs, 2 * margin)
    assert found.verdict is on_risks.verdict
    assert found.p_equivalent == on_risks.p_equivalent
    assert (found.smallest, found.largest) == pytest.approx((0.5 - margin, 0.5 + margin))


@given(LOGS, st.sampled_from([1.01, 1.2, 2.0]))
def test_ratios_are_equivalent_where_the_interval_is_within_the_margins(
    logs: list[float], factor: float
) -> None:
    found = certain(ratio_within(factor, np.exp(logs), np.ones(len(logs))))
    check_that_interval_and_verdict_agree(found)


@given(LOGS)
def test_exchanging_the_two_mirrors_the_ratio(logs: list[float]) -> None:
    values, ones = np.exp(logs), np.ones(len(logs))
    found, turned = (
        certain(ratio_within(1.3, values, ones)),
        certain(ratio_within(1.3, ones, values)),
    )
    assert turned.verdict is found.verdict
    assert turned.p_equivalent == found.p_equivalent
    assert turned.estimate == pytest.approx(1 / found.estimate)
    assert turned.low * found.high == pytest.approx(1) or turned.low == 0


@pytest.mark.parametrize("num_pairs", [1, 4, 5, 10, 16, 30])
def test_the_ends_for_a_ratio_are_the_order_statistics_of_a_sign_test(num_pairs: int) -> None:
    logs = np.arange(1.0, num_pairs + 1) / 10
    found = certain(ratio_within(1.5, np.exp(logs), np.ones(num_pairs)))
    rejected = [
        k for k in range(num_pairs + 1) if binomtest(k, num_pairs, 0.5, "less").pvalue <= 0.05
    ]
    expected = (
        (math.exp(logs[len(rejected) - 1]), math.exp(logs[-len(rejected)])) if rejected else None
    )
    assert (found.low, found.high) == pytest.approx(expected or (0.0, math.inf))


@pytest.mark.parametrize("num_pairs", [5, 10, 16, 20])
@pytest.mark.parametrize("margin", [0.2, 0.4, 0.7])
def test_what_is_at_the_margin_is_rarely_called_equivalent(num_pairs: int, margin: float) -> None:
    """By summing over all outcomes, for every share of pairs that differ; nor called different."""
    outcomes = [(i, j) for i in range(num_pairs + 1) for j in range(num_pairs + 1 - i)]
    nonzero = margin + (1 - margin) * np.linspace(0, 1, 41)
    shares = np.stack([(nonzero + margin) / 2, (nonzero - margin) / 2, 1 - nonzero], axis=-1)
    wrong = {Verdict.EQUIVALENT: np.zeros(41), Verdict.DIFFERENT: np.zeros(41)}
    for plus, minus in outcomes:
        zeros = num_pairs - plus - minus
        verdict = risks([1.0] * plus + [-1.0] * minus + [0.0] * zeros, margin).verdict
        if verdict in wrong:
            wrong[verdict] += multinomial.pmf((plus, minus, zeros), num_pairs, np.abs(shares))
    assert max(errors.max() for errors in wrong.values()) <= 0.05


def test_a_median_at_the_margin_is_rarely_called_equivalent() -> None:
    """1,000 sets of 16 ratios, skewed, with the median at the margin: less than 1e-5."""
    draws = np.expm1(Stream("skewed ratios", seed=0).normal((1000, 16)) / 5)
    ratios = 1.2 * np.exp(draws)
    verdicts = [certain(ratio_within(1.2, each, np.ones(16))).verdict for each in ratios]
    assert verdicts.count(Verdict.EQUIVALENT) <= binom.isf(1e-5, 1000, 0.05)
    assert verdicts.count(Verdict.DIFFERENT) <= binom.isf(1e-5, 1000, 0.05)


def test_each_verdict_can_be_reached() -> None:
    assert risks([0.0] * 30, 0.2).verdict is Verdict.EQUIVALENT
    assert risks([1.0] * 28 + [0.0] * 2, 0.2).verdict is Verdict.DIFFERENT
    assert risks([1.0] * 4 + [0.0] * 16, 0.2).verdict is Verdict.UNDECIDED
    ones = np.ones(10)
    same, twice = (certain(ratio_within(1.1, factor * ones, ones)) for factor in (1.0, 2.0))
    assert (same.verdict, twice.verdict) == (Verdict.EQUIVALENT, Verdict.DIFFERENT)


def test_few_pairs_that_agree_are_no_sign_of_sameness() -> None:
    """Ten seeds without a difference, and still one in four may differ."""
    assert risks([0.0] * 10, 0.2).verdict is Verdict.UNDECIDED
    assert certain(ratio_within(1.1, np.ones(4), np.ones(4))).verdict is Verdict.UNDECIDED


def test_without_pairs_there_is_no_verdict() -> None:
    none = np.zeros(0, dtype=bool)
    assert risks_within(0.1, none, none) == NotEstimable("no pairs")
    assert preference_within(0.1, np.empty(0)) == NotEstimable("no pairs")
    assert ratio_within(1.1, np.empty(0), np.empty(0)) == NotEstimable("no pairs")


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, np.nan])
def test_a_margin_that_excludes_nothing_or_everything_is_refused(margin: float) -> None:
    yes = np.ones(3, dtype=bool)
    with pytest.raises(ValueError, match="out of range"):
        risks_within(margin, yes, yes)


def test_what_has_no_ratio_is_refused() -> None:
    for values in ([1.0, 0.0], [1.0, np.inf], [1.0, np.nan], [-1.0, 1.0]):
        with pytest.raises(ValueError, match="positive, finite"):
            ratio_within(1.1, np.array(values), np.ones(2))
    with pytest.raises(ValueError, match="not above 1"):
        ratio_within(0.9, np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="one length"):
        ratio_within(1.1, np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="block by block"):
        preference_within(0.1, np.zeros((2, 3)))
