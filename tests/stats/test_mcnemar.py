from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar, exact_p, mcnemar, smallest_p
from bench.stats.melding import melded_interval

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20)


def of(pairs: list[tuple[bool, bool]]) -> McNemar:
    first, second = np.array(pairs, dtype=bool).T
    found = mcnemar(first, second)
    assert isinstance(found, McNemar)
    return found


@given(PAIRS)
def test_it_agrees_with_statsmodels(pairs: list[tuple[bool, bool]]) -> None:
    found = of(pairs)
    table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
    assert found.p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, abs=1e-12)
    assert (found.only_first, found.only_second) == (table[0][1], table[1][0])


@given(PAIRS)
def test_the_difference_is_that_of_the_rates_and_within_its_interval(
    pairs: list[tuple[bool, bool]],
) -> None:
    found = of(pairs)
    first, second = np.array(pairs).T
    assert found.difference == pytest.approx(first.mean() - second.mean())
    assert found.low <= found.difference <= found.high
    assert (found.low > 1e-9 or found.high < -1e-9) == (found.p <= 0.05)


@given(PAIRS)
def test_pairs_that_agree_leave_p_alone(pairs: list[tuple[bool, bool]]) -> None:
    assert of([*pairs, (True, True), (False, False)]).p == of(pairs).p


@given(PAIRS)
def test_exchanging_the_two_turns_the_difference_around(pairs: list[tuple[bool, bool]]) -> None:
    found, turned = of(pairs), of([(b, a) for a, b in pairs])
    assert (turned.p, turned.difference) == (found.p, -found.difference)
    assert (turned.low, turned.high) == (-found.high, -found.low)


@pytest.mark.parametrize("num_pairs", [3, 5, 6, 10, 20])
def test_no_outcome_has_a_smaller_p_than_the_smallest(num_pairs: int) -> None:
    every = [exact_p(b, c) for b in range(num_pairs + 1) for c in range(num_pairs + 1 - b)]
    assert min(every) == pytest.approx(smallest_p(num_pairs), rel=1e-12)


def test_three_pairs_and_five_cannot_reach_five_percent() -> None:
    assert [smallest_p(pairs) for pairs in (0, 1, 3, 5, 6)] == [1, 1, 0.25, 0.0625, 0.03125]


@pytest.mark.parametrize("num_pairs", [5, 10, 16, 20, 30])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_false_alarms_are_at_most_nominal(num_pairs: int, alpha: float) -> None:
    """By summing over all outcomes: given how many differ, each way is equally likely."""
    for differing in range(num_pairs + 1):
        counts = np.arange(differing + 1)
        rejects = np.array([exact_p(int(k), differing - int(k)) <= alpha for k in counts])
        assert binom.pmf(counts, differing, 0.5)[rejects].sum() <= alpha


def test_a_pair_without_a_result_is_dropped_and_counted() -> None:
    first = np.array([True, True, False, True])
    second = np.array([False, False, False, False])
    found = mcnemar(first, second, np.array([True, False, True, True]))
    assert isinstance(found, McNemar)
    assert (found.only_first, found.num_pairs, found.num_dropped) == (2, 3, 1)
    assert (found.low, found.high) == melded_interval(2, 0, 3)


def test_without_pairs_there_is_nothing_to_say() -> None:
    none = np.zeros(0, dtype=bool)
    assert mcnemar(none, none) == NotEstimable("no pairs")
    one = np.ones(1, dtype=bool)
    assert mcnemar(one, one, ~one) == NotEstimable("no pairs")


def test_numbers_and_different_lengths_are_refused() -> None:
    yes = np.ones(3, dtype=bool)
    with pytest.raises(ValueError, match="not bool"):
        mcnemar(np.array([1.0, np.nan, 0.0]), yes)
    with pytest.raises(ValueError, match="not bool"):
        mcnemar(yes, yes[:2])
    with pytest.raises(ValueError, match="pairs"):
        smallest_p(-1)
