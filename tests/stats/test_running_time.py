from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.duration.survfunc import SurvfuncRight

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.running_time import (
    PairedDifference,
    RestrictedMean,
    RunningTime,
    SolveTimes,
    expected_running_time,
    restricted_mean_difference,
    restricted_mean_steps,
    simulated_restarts,
)
from bench.stats.sign_flip_interval import sign_flip_interval

BUDGET = 1000.0
STEPS = np.array([300.0, 400, 500, 600, 20, 30, 40, 50, BUDGET, BUDGET])
SOLVED = np.arange(10) < 4
RUNS = st.lists(st.tuples(st.integers(1, int(BUDGET)), st.booleans()), min_size=1, max_size=12)


def running_time(steps: np.ndarray, solved: np.ndarray) -> RunningTime:
    found = expected_running_time(steps, solved, BUDGET)
    assert isinstance(found, RunningTime)
    return found


def never_again(steps: list[float]) -> SolveTimes:
    """Runs that did not solve diverged."""
    return SolveTimes(np.array(steps, dtype=float), np.full(len(steps), np.inf))


def test_a_success_costs_985_steps_where_the_successes_took_450() -> None:
    found = running_time(STEPS, SOLVED)
    assert found.steps == 985
    assert STEPS[SOLVED].mean() == 450
    assert (found.num_solved, found.num_runs) == (4, 10)
    assert found.interval[0] < 985 < found.interval[1]


@given(RUNS)
def test_it_is_the_mean_wait_with_restarts_and_its_interval_holds_it(
    runs: list[tuple[int, bool]],
) -> None:
    steps, solved = (np.array(column) for column in zip(*runs, strict=True))
    found = running_time(steps, solved)
    low, high = found.interval
    assert low <= found.steps <= high
    assert np.isfinite(low)
    if solved.all():
        assert found.steps == pytest.approx(steps.mean())
    elif solved.any():
        failures = steps[~solved].mean() * (~solved).sum() / solved.sum()
        assert found.steps == pytest.approx(steps[solved].mean() + failures)
    else:
        assert found.steps == np.inf
        assert high == np.inf


@given(RUNS, st.data())
def test_a_run_that_fails_at_the_same_step_instead_makes_it_dearer(
    runs: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps, solved = (np.array(column) for column in zip(*runs, strict=True))
    worse = solved.copy()
    worse[data.draw(st.integers(0, len(runs) - 1))] = False
    before, after = running_time(steps, solved), running_time(steps, worse)
    assert after.steps >= before.steps
    assert after.interval[0] >= before.interval[0]
    assert after.interval[1] >= before.interval[1]


def test_without_a_success_there_is_still_a_least_cost() -> None:
    found = running_time(np.full(10, BUDGET), np.zeros(10, dtype=bool))
    assert found.steps == np.inf
    assert found.interval[0] == pytest.approx(BUDGET * 0.025 ** -(1 / 10) / 1, rel=0.6)
    assert found.interval[1] == np.inf
    assert simulated_restarts(np.full(10, BUDGET), np.zeros(10, dtype=bool), BUDGET) == (
        NotEstimable("none of 10 runs solved")
    )


def test_ten_successes_do_not_rule_out_failures() -> None:
    found = running_time(np.full(10, 300.0), np.ones(10, dtype=bool))
    assert found.steps == 300
    assert found.interval[1] == pytest.approx(300 + BUDGET * (0.025**-0.1 - 1), rel=0.05)


def test_the_interval_covers_where_failures_are_rare() -> None:
    """500 samples of 10; were the coverage 0.95, so few would be seen less than once in 1e4."""
    uniform = Stream("test of running time", seed=0).uniform((2, 500, 10))
    solved = uniform[0] < 0.9
    steps = np.where(solved, 100 + 400 * uniform[1], BUDGET)
    truth = (0.9 * 300 + 0.1 * BUDGET) / 0.9
    found = [running_time(*run).interval for run in zip(steps, solved, strict=True)]
    covered = sum(low <= truth <= high for low, high in found)
    assert binom.cdf(covered, 500, 0.95) > 1e-4


def test_simulated_restarts_have_the_expected_running_time_as_mean() -> None:
    waits = simulated_restarts(STEPS, SOLVED, BUDGET)
    assert isinstance(waits, np.ndarray)
    assert (np.diff(waits) >= 0).all()
    assert abs(waits.mean() - 985) < 5 * waits.std() / np.sqrt(waits.size)
    np.testing.assert_array_equal(waits, simulated_restarts(STEPS, SOLVED, BUDGET))


@given(st.lists(st.one_of(st.integers(1, 1500), st.just(np.inf)), min_size=1, max_size=12))
def test_the_restricted_mean_is_the_area_under_the_survival_curve(steps: list[float]) -> None:
    found = restricted_mean_steps(never_again(steps), BUDGET)
    assert isinstance(found, RestrictedMean)
    reached = np.array(steps) <= BUDGET
    curve = SurvfuncRight(np.minimum(steps, BUDGET + 1), reached)
    times = np.array([0.0, *curve.surv_times[curve.surv_times < BUDGET], BUDGET])
    heights = np.array([1.0, *curve.surv_prob[curve.surv_times < BUDGET]])
    assert found.mean == pytest.approx(float(np.diff(times) @ heights))
    assert found.num_solved == reached.sum()
    assert 0 <= found.interval[0] <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.interval[1] <= BUDGET


def test_the_difference_is_taken_seed_by_seed() -> None:
    first, second = (
        [100.0, 200, 300, np.inf, 500, 650, 700],
        [150.0, 300, np.inf, 400, 550, 600, 900],
    )
    found = restricted_mean_difference(never_again(first), never_again(second), BUDGET)
    assert isinstance(found, PairedDifference)
    differences = np.minimum(first, BUDGET) - np.minimum(second, BUDGET)
    assert found.mean == pytest.approx(differences.mean())
    assert found.interval == sign_flip_interval(differences)
    assert found.num_pairs == 7


def test_a_run_that_was_not_watched_long_enough_is_not_guessed() -> None:
    times = SolveTimes(np.array([100.0, np.inf]), np.array([500.0, 500.0]))
    assert isinstance(restricted_mean_steps(times, 500), RestrictedMean)
    reason = NotEstimable("1 of 2 runs were not followed to step 501")
    assert restricted_mean_steps(times, 501) == reason
    assert restricted_mean_difference(times, times, 501) == reason


def test_bad_input_is_refused_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="at most 1000"):
        running_time(np.array([1001.0]), np.array([True]))
    with pytest.raises(ValueError, match="above 0"):
        running_time(np.array([0.0]), np.array([True]))
    with pytest.raises(ValueError, match="horizon"):
        restricted_mean_steps(never_again([1.0]), np.inf)
    with pytest.raises(ValueError, match="not pairs"):
        restricted_mean_difference(never_again([1.0]), never_again([1.0, 2.0]), 10)
    with pytest.raises(ValueError, match="NaN"):
        restricted_mean_steps(never_again([np.nan]), 10)
    assert expected_running_time(np.empty(0), np.empty(0, bool), 10) == NotEstimable("no runs")
    assert restricted_mean_steps(never_again([]), 10) == NotEstimable("no runs")
