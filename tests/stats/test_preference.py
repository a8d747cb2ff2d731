from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu

from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import mcnemar
from bench.stats.melding import melded_interval
from bench.stats.preference import Preference, preference, scores
from bench.stats.sign_flip import SignFlip, sign_flip

RUN = st.tuples(st.floats(-3, 3), st.booleans())
PAIRS = st.lists(st.tuples(RUN, RUN), min_size=1, max_size=15)


def scored(pairs: list[tuple[tuple[float, bool], ...]], *, higher: bool = False) -> np.ndarray:
    first, second = (np.array([pair[side] for pair in pairs], dtype=float) for side in (0, 1))
    return scores(
        first[:, 0],
        second[:, 0],
        first[:, 1].astype(bool),
        second[:, 1].astype(bool),
        higher_is_better=higher,
    )


def of(differences: np.ndarray) -> Preference:
    found = preference(differences)
    assert isinstance(found, Preference)
    return found


def test_a_run_that_diverged_loses_to_any_number_and_ties_with_its_like() -> None:
    for value in (-1e30, 0.0, 1e30, np.inf, np.nan):
        for higher in (False, True):
            dead, alive = (value, True), (1e30 if not higher else -1e30, False)
            pairs = [(dead, alive), (alive, dead), (dead, dead), (alive, alive)]
            assert scored(pairs, higher=higher).tolist() == [-1, 1, 0, 0]


def test_a_value_that_is_not_finite_counts_as_diverged() -> None:
    for value in (np.inf, -np.inf, np.nan):
        pairs = [((value, False), (5.0, False)), ((value, False), (0.0, True))]
        assert scored(pairs).tolist() == [-1, 0]
        assert scored(pairs, higher=True).tolist() == [-1, 0]


@given(PAIRS)
def test_turning_the_metric_around_changes_no_score(
    pairs: list[tuple[tuple[float, bool], tuple[float, bool]]],
) -> None:
    turned = [tuple((-value, dead) for value, dead in pair) for pair in pairs]
    np.testing.assert_array_equal(scored(pairs), scored(turned, higher=True))


@given(PAIRS)
def test_only_the_order_counts(
    pairs: list[tuple[tuple[float, bool], tuple[float, bool]]],
) -> None:
    stretched = [tuple((np.float64(v) * 1024.0, dead) for v, dead in pair) for pair in pairs]
    np.testing.assert_array_equal(scored(pairs), scored(stretched))


@given(PAIRS)
def test_a_run_that_diverges_instead_improves_nothing(
    pairs: list[tuple[tuple[float, bool], tuple[float, bool]]],
) -> None:
    worse = [((first[0], True), second) for first, second in pairs]
    assert (scored(worse) <= scored(pairs)).all()
    assert of(scored(worse)).probability <= of(scored(pairs)).probability


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=20))
def test_one_block_is_the_sign_test_with_its_interval(differences: list[float]) -> None:
    found = of(np.array(differences))
    wins, losses = differences.count(1), differences.count(-1)
    assert (found.wins, found.losses, found.ties) == (wins, losses, differences.count(0))
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert found.p == pytest.approx(expected, abs=1e-12)
    assert found.probability == pytest.approx((wins + found.ties / 2) / len(differences))
    interval = [(1 + end) / 2 for end in melded_interval(wins, losses, len(differences))]
    assert (found.low, found.high) == pytest.approx(interval, abs=1e-8)


def test_of_single_pairs_it_is_the_statistic_of_mann_and_whitney() -> None:
    for first, second in ((1.0, 2.0), (2.0, 1.0), (1.0, 1.0)):
        pair = scored([((first, False), (second, False))], higher=True)
        assert of(pair).probability == mannwhitneyu([first], [second]).statistic


def test_where_only_divergence_differs_it_is_mcnemars_test() -> None:
    first = np.array([True] * 2 + [False] * 8)
    second = np.array([False] * 2 + [True] * 7 + [False])
    zeros = np.zeros(10)
    found = of(scores(zeros, zeros, first, second, higher_is_better=True))
    on_risks = mcnemar(first, second)
    assert not isinstance(on_risks, NotEstimable)
    assert found.p == on_risks.p
    assert found.probability == pytest.approx((1 - on_risks.difference) / 2)


def test_over_blocks_it_is_the_sign_flip_test_on_another_scale() -> None:
    table = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 0, 0, 1, -1, 1, 1.0]])
    found, flipped = of(table), sign_flip(table)
    assert isinstance(flipped, SignFlip)
    assert found.p == flipped.p
    ends = [2 * end - 1 for end in (found.probability, found.low, found.high)]
    assert ends == pytest.approx([flipped.effect, flipped.low, flipped.high])


def test_a_pair_without_a_result_is_dropped_and_counted() -> None:
    found = preference(np.array([1.0, np.nan, 1.0]), np.array([True, False, True]))
    assert isinstance(found, Preference)
    assert (found.wins, found.ties, found.num_dropped, found.probability) == (2, 0, 1, 1.0)


def test_no_pairs_and_unlike_shapes() -> None:
    assert preference(np.empty(0)) == NotEstimable("no pairs")
    yes = np.ones(2, dtype=bool)
    with pytest.raises(ValueError, match="shapes differ"):
        scores(np.ones(3), np.ones(2), yes, yes, higher_is_better=True)
