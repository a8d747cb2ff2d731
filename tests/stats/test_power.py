from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact, multinomial

from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import exact_p
from bench.stats.multiplicity import holm
from bench.stats.power import (
    SIZES,
    discordant_shares,
    limits,
    mcnemar_power,
    seeds_needed,
    size_name,
)
from bench.stats.proportions import Proportion, clopper_pearson

RATES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)


def by_enumeration(first: float, second: float, num: int, phi: float, alpha: float) -> float:
    """Over all counts of the four kinds of pairs."""
    only_first, only_second = discordant_shares(first, second, phi)
    shares = [only_first, only_second, 1 - only_first - only_second]
    return sum(
        float(multinomial.pmf((b, c, num - b - c), num, shares))
        for b in range(num + 1)
        for c in range(num + 1 - b)
        if exact_p(b, c) <= alpha
    )


@pytest.mark.parametrize("rates", [(0.1, 0.5), (0.0, 0.3), (0.3, 0.3), (0.9, 0.2)])
@pytest.mark.parametrize("num_seeds", [1, 5, 10, 17])
@pytest.mark.parametrize("alpha", [0.05, 0.0625, 0.005])
def test_power_is_the_sum_over_all_outcomes(
    rates: tuple[float, float], num_seeds: int, alpha: float
) -> None:
    for phi in (0.0, 0.1 if min(rates) > 0 else 0.0):
        expected = by_enumeration(*rates, num_seeds, phi, alpha)
        found = mcnemar_power(*rates, num_seeds, correlation=phi, alpha=alpha)
        assert found == pytest.approx(expected, abs=1e-10)


@given(RATES, RATES)
def test_independent_pairs_differ_by_the_product_of_the_rates(first: float, second: float) -> None:
    assert discordant_shares(first, second) == pytest.approx(
        (first * (1 - second), second * (1 - first))
    )


@given(RATES, st.integers(0, 40))
def test_without_an_effect_power_is_the_false_alarm_rate(rate: float, num_seeds: int) -> None:
    assert mcnemar_power(rate, rate, num_seeds) <= 0.05


def test_pairs_that_go_together_find_a_difference_sooner() -> None:
    powers = [mcnemar_power(0.5, 0.2, 20, correlation=phi) for phi in (-0.2, 0.0, 0.2, 0.4)]
    assert sorted(powers) == powers


@pytest.mark.parametrize("num_methods", [1, 5, 12])
def test_the_seeds_needed_are_the_fewest_that_suffice_from_there_on(num_methods: int) -> None:
    needed = seeds_needed(0.5, 0.1, num_methods=num_methods)
    assert isinstance(needed, int)
    alpha = 0.05 / num_methods
    assert mcnemar_power(0.5, 0.1, needed - 1, alpha=alpha) < 0.8
    for more in range(needed, needed + 60):
        assert mcnemar_power(0.5, 0.1, more, alpha=alpha) >= 0.8


def test_a_larger_family_needs_more_seeds_and_a_larger_effect_fewer() -> None:
    in_family = [seeds_needed(0.5, 0.1, num_methods=methods) for methods in (1, 3, 10, 30)]
    by_effect = [seeds_needed(rate, 0.0) for rate in (0.9, 0.5, 0.3, 0.1)]
    for row in (in_family, by_effect):
        numbers = [needed for needed in row if isinstance(needed, int)]
        assert len(numbers) == 4
        assert (np.diff(numbers) > 0).all()


def test_no_effect_and_small_ones_are_out_of_reach() -> None:
    assert seeds_needed(0.3, 0.3) == NotEstimable("equal rates: there is nothing to find")
    assert seeds_needed(0.30, 0.29) == NotEstimable("more than 400 seeds")


def test_the_first_step_of_holm_is_enough_for_one_effect() -> None:
    for raw in (0.0049, 0.0051):
        assert (holm(np.array([raw] + [1.0] * 9))[0] <= 0.05) == (raw <= 0.05 / 10)


@pytest.mark.parametrize(
    ("num_seeds", "smallest", "rate"),
    [(3, 0.10, 0.63), (4, 0.029, 0.53), (5, 0.008, 0.45), (10, 1.1e-5, 0.26), (20, 0, 0.14)],
)
def test_the_limits_are_those_measured(num_seeds: int, smallest: float, rate: float) -> None:
    found = limits(num_seeds)
    assert found.smallest_p_unpaired == pytest.approx(smallest, rel=0.05, abs=1e-4)
    assert found.hidden_rate == pytest.approx(rate, abs=0.005)
    bound = clopper_pearson(0, num_seeds, 0.9)
    assert isinstance(bound, Proportion)
    assert found.hidden_rate == pytest.approx(bound.high)


@pytest.mark.parametrize("num_seeds", [1, 2, 3, 4, 5, 6])
def test_the_smallest_unpaired_p_is_fishers(num_seeds: int) -> None:
    table = [[num_seeds, 0], [0, num_seeds]]
    assert limits(num_seeds).smallest_p_unpaired == pytest.approx(fisher_exact(table).pvalue)


def test_three_seeds_conclude_nothing_paired_or_not() -> None:
    assert min(limits(3).smallest_p_paired, limits(3).smallest_p_unpaired) > 0.05
    assert limits(3).most_methods == limits(5).most_methods == 0
    assert limits(6).most_methods == 1
    for first in (0.0, 0.1, 0.5, 1.0):
        assert mcnemar_power(first, 1.0, 3) == mcnemar_power(first, 1.0, 5) == 0


@pytest.mark.parametrize("num_seeds", [6, 8, 10])
def test_the_most_methods_are_those_that_holm_leaves_a_chance(num_seeds: int) -> None:
    most = limits(num_seeds).most_methods
    for methods in (most, most + 1):
        raw = np.array([limits(num_seeds).smallest_p_paired] + [1.0] * (methods - 1))
        assert (holm(raw)[0] <= 0.05) == (methods <= most)


def test_the_sizes_have_names() -> None:
    assert list(SIZES.items()) == [
        (5, "smoke"),
        (10, "screening"),
        (16, "claim"),
        (20, "paper"),
        (30, "leaderboard"),
    ]
    named = [size_name(num) for num in (1, 4, 5, 9, 10, 16, 19, 20, 30, 99)]
    assert named == [
        None,
        None,
        "smoke",
        "smoke",
        "screening",
        "claim",
        "claim",
        "paper",
        "leaderboard",
        "leaderboard",
    ]


@pytest.mark.parametrize(
    ("rates", "num_seeds", "measured"),
    [((0, 0.3), 10, 0.15), ((0, 0.5), 10, 0.62), ((0.1, 0.5), 20, 0.74), ((0.2, 0.5), 30, 0.60)],
)
def test_pairing_independent_runs_costs_little_power(
    rates: tuple[float, float], num_seeds: int, measured: float
) -> None:
    """Against Fisher's test of as many unpaired runs, whose power is the table's."""
    counts = np.arange(num_seeds + 1)
    weights = [binom.pmf(counts, num_seeds, rate) for rate in rates]
    fisher = sum(
        weights[0][i] * weights[1][j]
        for i in counts
        for j in counts
        if weights[0][i] * weights[1][j] > 1e-12
        and fisher_exact([[i, num_seeds - i], [j, num_seeds - j]]).pvalue <= 0.05
    )
    assert fisher == pytest.approx(measured, abs=0.015)
    paired = mcnemar_power(*rates, num_seeds)
    assert fisher - 0.25 < paired < fisher + 0.05


@pytest.mark.parametrize("bad", [(0.5, 1.5, 0.0), (0.1, 0.9, 0.9), (0.0, 0.5, math.nan)])
def test_rates_that_cannot_be_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="rate"):
        discordant_shares(*bad)
    with pytest.raises(ValueError, match="seeds"):
        limits(0)
    with pytest.raises(ValueError, match="power"):
        seeds_needed(0.5, 0.1, power=1.0)
