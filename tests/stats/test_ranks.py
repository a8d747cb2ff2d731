from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.estimates import NotEstimable
from bench.stats.ranks import Spread, quantile, spread

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
RUNS = st.lists(st.tuples(FINITE, st.booleans()), min_size=1, max_size=12)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def of(runs: list[tuple[float, bool]], *, higher_is_better: bool = False) -> Spread | NotEstimable:
    values, worst = zip(*runs, strict=True)
    return spread(np.array(values), np.array(worst), higher_is_better=higher_is_better)


def numbers(found: Spread | NotEstimable) -> list[float]:
    """Every figure that there is."""
    if isinstance(found, NotEstimable):
        return []
    ends = [found.median, found.lower_quartile, found.upper_quartile, found.lowest, found.highest]
    return [end for end in ends if not isinstance(end, NotEstimable)]


@given(st.lists(FINITE, min_size=4, max_size=12), st.booleans())
def test_without_dead_runs_it_is_numpys_quantile(values: list[float], higher: bool) -> None:
    found = of([(value, False) for value in values], higher_is_better=higher)
    expected = np.quantile(values, (0.5, 0.25, 0.75, 0, 1))
    np.testing.assert_allclose(numbers(found), expected, rtol=1e-12, atol=1e-300)


@given(RUNS, st.booleans(), st.data())
def test_a_run_that_diverges_instead_improves_nothing(
    runs: list[tuple[float, bool]], higher: bool, data: st.DataObject
) -> None:
    dead = data.draw(st.integers(0, len(runs) - 1))
    value = data.draw(st.sampled_from([0.0, 1e-30, 1e30, np.inf, -np.inf, np.nan]))
    worse = [(value, True) if index == dead else run for index, run in enumerate(runs)]
    sign = -1 if higher else 1
    before = numbers(of(runs, higher_is_better=higher))
    after = numbers(of(worse, higher_is_better=higher))
    if after:
        assert all(sign * new >= sign * old for old, new in zip(before, after, strict=True))


@given(RUNS, st.booleans(), st.randoms())
def test_the_order_of_the_seeds_changes_nothing(
    runs: list[tuple[float, bool]], higher: bool, random: object
) -> None:
    shuffled = runs.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(shuffled, higher_is_better=higher) == of(runs, higher_is_better=higher)


@given(RUNS)
def test_turning_the_metric_around_turns_the_figures_around(runs: list[tuple[float, bool]]) -> None:
    lower = of(runs)
    higher = of([(-value, worst) for value, worst in runs], higher_is_better=True)
    if isinstance(lower, NotEstimable) or isinstance(higher, NotEstimable):
        assert lower == higher
        return
    assert higher.median == -lower.median
    assert higher.lowest == -lower.highest
    if not isinstance(lower.upper_quartile, NotEstimable):
        assert higher.lower_quartile == -lower.upper_quartile


@given(RUNS, st.booleans())
def test_no_figure_is_nan(runs: list[tuple[float, bool]], higher: bool) -> None:
    assert not np.isnan(numbers(of(runs, higher_is_better=higher))).any()


@pytest.mark.parametrize("higher", [False, True])
def test_more_than_half_dead_makes_the_median_worse_than_any_number(higher: bool) -> None:
    worst = -np.inf if higher else np.inf
    found = of([(0.5, False), (0.6, False), *[(0.1, True)] * 3], higher_is_better=higher)
    assert isinstance(found, Spread)
    assert found.median == worst
    assert found.num_runs == 5
    fewer = of(
        [(0.5, False), (0.6, False), (0.7, False), *[(0.1, True)] * 2], higher_is_better=higher
    )
    assert isinstance(fewer, Spread)
    assert np.isfinite(fewer.median)


def test_a_value_that_is_not_finite_is_as_bad_as_a_divergence() -> None:
    for value in (np.nan, np.inf, -np.inf):
        assert of([(1.0, False), (2.0, False), (value, False)]) == of(
            [(1.0, False), (2.0, False), (0.0, True)]
        )


def test_what_cannot_be_said_says_why() -> None:
    assert of([(1.0, True), (np.nan, False)]) == NotEstimable("no run ended with a finite value")
    empty = spread(np.empty(0), np.empty(0, dtype=bool), higher_is_better=True)
    assert empty == NotEstimable("no runs")
    single = of([(1.0, False)])
    assert isinstance(single, Spread)
    assert single.median == 1.0
    assert single.lower_quartile == NotEstimable("1 run: quartiles need 4")


@given(
    st.lists(
        st.lists(st.one_of(FINITE, st.just(np.inf)), min_size=3, max_size=3), min_size=1, max_size=9
    ),
    SHARES,
)
def test_a_table_is_its_columns(rows: list[list[float]], share: float) -> None:
    table = np.array(rows)
    np.testing.assert_array_equal(
        quantile(table, share), [float(quantile(column, share)) for column in table.T]
    )


@given(st.lists(FINITE, min_size=1, max_size=9), st.data(), st.floats(0, 1))
def test_one_larger_cost_never_lowers_a_quantile(
    costs: list[float], data: st.DataObject, share: float
) -> None:
    """To the last bit, at any share."""
    larger = costs.copy()
    index = data.draw(st.integers(0, len(costs) - 1))
    larger[index] = data.draw(st.floats(costs[index], allow_nan=False))
    assert quantile(np.array(larger), share) >= quantile(np.array(costs), share)


@pytest.mark.parametrize(
    ("smaller", "larger", "other"),
    [
        (0.01790217079838879, 0.017902170798388795, 0.6766044632445796),
        (0.2115024118424232, 0.21150241184242322, 0.4650153453888052),
    ],
)
def test_not_even_where_the_usual_interpolation_falls_by_a_bit(
    smaller: float, larger: float, other: float
) -> None:
    def usual(cost: float, share: float) -> float:
        return cost + share * (other - cost)

    assert any(usual(larger, share) < usual(smaller, share) for share in (0.25, 0.5, 0.75))
    for share in (0.25, 0.5, 0.75):
        before, after = (quantile(np.array([cost, other]), share) for cost in (smaller, larger))
        assert after >= before


def test_equal_costs_stay_what_they_are() -> None:
    costs = np.full(6, 0.1)
    assert all(quantile(costs, share) == 0.1 for share in np.linspace(0, 1, 41))


@pytest.mark.parametrize("costs", [[], [1.0, np.nan]])
def test_nothing_and_nan_have_no_quantile(costs: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one run and no NaN"):
        quantile(np.array(costs), 0.5)
