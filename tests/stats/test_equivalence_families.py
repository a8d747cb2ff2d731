from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta, binom

from bench.stats.bounded_mean import bounded_mean_interval, p_mean_at_most
from bench.stats.equivalence import Equivalence, Verdict, pooled_risks_within, risks_within
from bench.stats.equivalence_families import fewest_seeds, verdicts_in_family
from bench.stats.estimates import NotEstimable
from bench.stats.sign_flip import SignFlip, sign_flip

TABLES = arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 12)),
    elements=st.sampled_from([-1.0, 0.0, 1.0]),
)


def certain(found: Equivalence | NotEstimable) -> Equivalence:
    assert isinstance(found, Equivalence)
    return found


def pooled(differences: np.ndarray, margin: float = 0.1) -> Equivalence:
    return certain(pooled_risks_within(margin, differences))


@given(TABLES, st.sampled_from([0.1, 0.3, 0.6]))
@settings(max_examples=40, deadline=None)
def test_it_is_equivalent_where_the_interval_is_within_the_margins(
    differences: np.ndarray, margin: float
) -> None:
    found = pooled(differences, margin)
    inside = -margin < found.low and found.high < margin
    assert inside == (found.verdict is Verdict.EQUIVALENT)
    if found.verdict is Verdict.DIFFERENT:
        assert found.high < -margin or found.low > margin
    effect = sign_flip(differences)
    assert isinstance(effect, SignFlip)
    assert found.estimate == pytest.approx(effect.effect)
    assert found.low <= found.estimate <= found.high
    turned = pooled(-differences, margin)
    assert (turned.verdict, turned.p_equivalent) == (found.verdict, found.p_equivalent)
    assert (turned.low, turned.high) == (-found.high, -found.low)


@given(TABLES)
@settings(max_examples=20, deadline=None)
def test_one_block_is_decided_by_its_own_exact_tests(differences: np.ndarray) -> None:
    one = differences[:1]
    assert pooled(one) == risks_within(0.1, one[0] == 1, one[0] == -1)


@pytest.mark.parametrize("num_seeds", [5, 16, 40])
@pytest.mark.parametrize("bound", [-0.3, -0.1, 0.2])
def test_p_of_zeros_is_a_power_and_goes_with_the_interval(num_seeds: int, bound: float) -> None:
    """The weight of one added value among n is Beta(1, n): here it is at -1, the rest at 0."""
    zeros = np.zeros(num_seeds)
    exact = beta.sf(-bound, 1, num_seeds) if bound < 0 else 1.0
    # 20,000 drawn weights: five standard deviations.
    assert p_mean_at_most(zeros, bound, -1.0, 1.0) == pytest.approx(
        exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000) + 1 / 20_000
    )
    for alpha in (0.01, 0.05, 0.2):
        interval = bounded_mean_interval(zeros, -1.0, 1.0, 1 - 2 * alpha)
        assert not isinstance(interval, NotEstimable)
        assert (interval[0] > bound) == (p_mean_at_most(zeros, bound, -1.0, 1.0) <= alpha)


def test_more_blocks_are_not_more_seeds() -> None:
    """Without any difference 28 seeds leave room for one of a tenth, and so do they six times."""
    for num_blocks in (1, 6):
        assert pooled(np.zeros((num_blocks, 27))).verdict is Verdict.UNDECIDED
        assert pooled(np.zeros((num_blocks, 30))).verdict is Verdict.EQUIVALENT


def test_the_fewest_seeds_are_what_one_block_needs() -> None:
    for margin in (0.1, 0.2):
        for family in (1, 3):
            fewest = fewest_seeds(margin, family)
            for num, expected in ((fewest - 1, Verdict.UNDECIDED), (fewest, Verdict.EQUIVALENT)):
                same = np.zeros(num, dtype=bool)
                found = [certain(risks_within(margin, same, same)) for _ in range(family)]
                assert set(verdicts_in_family(found)) == {expected}
    with pytest.raises(ValueError, match="family of 0"):
        fewest_seeds(0.1, 0)


def test_a_difference_is_called_so_only_beyond_the_margin() -> None:
    always = np.ones((2, 20))
    assert pooled(always).verdict is Verdict.DIFFERENT
    # Seen in every block of 2 in 20 seeds: as much as the margin, and no verdict.
    some = np.zeros((3, 20))
    some[:, :2] = 1
    assert pooled(some).verdict is Verdict.UNDECIDED


def test_a_missing_pair_counts_as_the_worst_for_either_side() -> None:
    differences, present = np.zeros((2, 40)), np.ones((2, 40), dtype=bool)
    full = certain(pooled_risks_within(0.1, differences, present))
    present[0, :8] = False
    found = certain(pooled_risks_within(0.1, differences, present))
    assert (full.verdict, found.verdict) == (Verdict.EQUIVALENT, Verdict.UNDECIDED)
    assert (found.estimate, found.num_pairs) == (0.0, 72)
    assert pooled_risks_within(0.1, differences, ~np.ones((2, 40), dtype=bool)) == NotEstimable(
        "no pairs"
    )


@pytest.mark.parametrize("num_affected", [1, 3])
def test_what_is_at_the_margin_is_rarely_decided(num_affected: int) -> None:
    """By summing over all outcomes: one luck of 40 seeds for all three blocks, or for one alone."""
    rate = 0.1 * 3 / num_affected
    wrong = {Verdict.EQUIVALENT: 0.0, Verdict.DIFFERENT: 0.0}
    likely = [count for count in range(41) if binom.pmf(count, 40, rate) > 1e-4]
    for count in likely:
        differences = np.zeros((3, 40))
        differences[:num_affected, :count] = 1
        verdict = pooled(differences).verdict
        if verdict in wrong:
            wrong[verdict] += float(binom.pmf(count, 40, rate))
    neglected = 1 - float(binom.pmf(likely, 40, rate).sum())
    assert max(wrong.values()) + neglected <= 0.05


def test_a_family_asks_for_more_than_each_of_its_members() -> None:
    """Thirty seeds alike suffice alone; among three none of these is equivalent any more."""
    same = np.zeros((2, 30))
    alone = pooled(same)
    assert verdicts_in_family([alone]) == [Verdict.EQUIVALENT]
    missing = NotEstimable("no pairs")
    assert verdicts_in_family([alone, missing]) == [Verdict.EQUIVALENT, missing]
    assert verdicts_in_family([alone] * 3) == [Verdict.UNDECIDED] * 3
    different = pooled(np.ones((2, 30)))
    assert verdicts_in_family([alone, different]) == [Verdict.UNDECIDED, Verdict.DIFFERENT]


@pytest.mark.parametrize("margin", [0.0, 1.0, np.nan])
def test_a_margin_out_of_range_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        pooled_risks_within(margin, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="out of range"):
        fewest_seeds(margin)


def test_p_of_no_value_or_one_outside_is_refused() -> None:
    for values in ([], [2.0], [np.nan]):
        with pytest.raises(ValueError, match="not between"):
            p_mean_at_most(np.array(values), 0.0, -1.0, 1.0)
