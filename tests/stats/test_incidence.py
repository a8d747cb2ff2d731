from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from bench.stats.estimates import NotEstimable
from bench.stats.incidence import (
    Cause,
    FirstEvents,
    Incidence,
    cumulative_incidence,
    first_events,
    solved_and_alive,
)
from bench.stats.proportions import Proportion, clopper_pearson

BUDGET = 1000.0
CAUSES = (Cause.SOLVED, Cause.DIVERGED, Cause.FROZEN)
RUNS = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from(list(Cause)), st.integers(1, 30)),
    min_size=1,
    max_size=12,
)


def events(runs: list[tuple[int, Cause, int]]) -> FirstEvents:
    """(step, cause, more steps that the budget would have allowed)."""
    steps = np.array([step for step, _, _ in runs], dtype=float)
    causes = np.array([cause for _, cause, _ in runs], dtype=str)
    more = np.array([0 if cause is Cause.NONE else more for _, cause, more in runs])
    return FirstEvents(steps, causes, steps + more)


def incidence(runs: FirstEvents, cause: Cause, confidence: float = 0.95) -> Incidence:
    found = cumulative_incidence(runs, cause, confidence)
    assert isinstance(found, Incidence)
    return found


def ten_runs() -> FirstEvents:
    """4 solve, 4 diverge early, 2 use up their budget."""
    return first_events(
        np.array([300, 400, 500, 600, *[np.inf] * 6]),
        np.array([*[BUDGET] * 4, 20, 30, 40, 50, BUDGET, BUDGET]),
        np.array([*["completed"] * 4, *["diverged"] * 4, *["completed"] * 2]),
        np.full(10, BUDGET),
    )


def test_censoring_at_divergence_claims_two_thirds_where_four_in_ten_have_solved() -> None:
    runs = ten_runs()
    claimed = SurvfuncRight(runs.steps, runs.causes == "solved")
    assert 1 - claimed.surv_prob[-1] == pytest.approx(2 / 3)
    for cause in (Cause.SOLVED, Cause.DIVERGED):
        exact = clopper_pearson(4, 10)
        assert isinstance(exact, Proportion)
        assert incidence(runs, cause).at(BUDGET) == (0.4, exact.low, exact.high)


def test_a_run_that_solves_and_diverges_later_has_solved() -> None:
    arguments = (
        np.array([100.0, 100.0, np.inf]),
        np.array([150.0, BUDGET, 90.0]),
        np.array(["diverged", "completed", "frozen"]),
        np.full(3, BUDGET),
    )
    assert list(first_events(*arguments).causes) == ["solved", "solved", "frozen"]
    alive = solved_and_alive(*arguments)
    assert isinstance(alive, Proportion)
    assert (alive.count, alive.total) == (1, 3)


def test_of_a_run_stopped_when_it_solved_nobody_knows_whether_it_lived() -> None:
    arguments = (np.array([100.0]), np.array([130.0]), np.array(["completed"]), np.array([BUDGET]))
    assert list(first_events(*arguments).causes) == ["solved"]
    assert solved_and_alive(*arguments) == NotEstimable("1 of 1 runs were stopped when they solved")


@given(RUNS)
def test_it_is_statsmodels_aalen_johansen(runs: list[tuple[int, Cause, int]]) -> None:
    data = events(runs)
    kinds = [cause for cause in CAUSES if (data.causes == cause).any()]
    if not kinds:
        return
    status = np.select([data.causes == cause for cause in kinds], range(1, len(kinds) + 1), 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # in its standard errors
        oracle = CumIncidenceRight(data.steps, status)
    for index, cause in enumerate(kinds):
        ours = incidence(data, cause)
        for step, share in zip(oracle.times, oracle.cinc[index], strict=True):
            found = ours.at(step)
            assert not isinstance(found, NotEstimable)
            assert found[0] == pytest.approx(share, abs=1e-12)


@given(RUNS)
def test_shares_of_all_causes_and_the_event_free_sum_to_one(
    runs: list[tuple[int, Cause, int]],
) -> None:
    data = events(runs)
    curves = [incidence(data, cause) for cause in CAUSES]
    total = sum(curve.share for curve in curves)
    if not (data.causes != "none").any():
        return
    with np.errstate(divide="ignore", invalid="ignore"):  # in its standard errors
        everyone = SurvfuncRight(data.steps, data.causes != "none")
    for step, alive in zip(everyone.surv_times, everyone.surv_prob, strict=True):
        index = np.searchsorted(curves[0].steps, step, side="right") - 1
        assert 1 - total[index] == pytest.approx(alive, abs=1e-12)
    for curve in curves:
        assert (np.diff(curve.share) >= -1e-12).all()
        assert ((curve.low <= curve.share) & (curve.share <= curve.high)).all()


@given(RUNS, st.randoms())
def test_the_order_of_the_runs_changes_nothing(
    runs: list[tuple[int, Cause, int]], random: object
) -> None:
    shuffled = runs.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = incidence(events(runs), Cause.SOLVED), incidence(events(shuffled), Cause.SOLVED)
    for name in ("steps", "share", "low", "high"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_with_one_budget_it_is_the_count_over_all_runs_at_every_step() -> None:
    curve = incidence(ten_runs(), Cause.SOLVED)
    for step, count in ((0, 0), (299.9, 0), (300, 1), (450, 2), (BUDGET, 4)):
        exact = clopper_pearson(count, 10)
        assert isinstance(exact, Proportion)
        assert curve.at(step) == (count / 10, exact.low, exact.high)


def test_runs_with_a_shorter_budget_count_up_to_its_end() -> None:
    runs = FirstEvents(
        np.array([10.0, 50.0, 50.0, 80.0, 100.0]),
        np.array(["solved", "none", "none", "solved", "none"]),
        np.array([100.0, 50.0, 50.0, 100.0, 100.0]),
    )
    curve = incidence(runs, Cause.SOLVED)
    at_50, at_80 = curve.at(50), curve.at(80)
    assert not isinstance(at_50, NotEstimable)
    assert not isinstance(at_80, NotEstimable)
    assert at_50[0] == 0.2
    assert at_80[0] == pytest.approx(0.2 + 0.8 / 2)  # half of those left at 80
    three = clopper_pearson(2, 3)
    assert isinstance(three, Proportion)
    assert at_80[1:] == (min(three.low, at_80[0]), max(three.high, at_80[0]))
    assert curve.at(101) == NotEstimable("no run was watched beyond step 100")


def test_the_interval_covers_by_enumeration_with_two_budgets() -> None:
    """3 runs up to step 1, 4 up to step 2; each solves at 1 with 0.3, at 2 with 0.25, or never."""
    chances = {1: 0.3, 2: 0.25, 3: 0.45}
    truth, covered, total = 0.55, 0.0, 0.0
    budgets = np.array([1.0] * 3 + [2.0] * 4)
    outcomes = [
        (long, short)
        for long in itertools.combinations_with_replacement((1, 2, 3), 4)
        for short in range(4)
    ]
    for long, short in outcomes:
        orders = len(set(itertools.permutations(long)))
        chance = orders * np.prod([chances[step] for step in long]) * binom.pmf(short, 3, 0.3)
        steps = np.minimum(np.array([*[1] * short, *[3] * (3 - short), *long]), budgets)
        solved = np.array([*[True] * short, *[False] * (3 - short), *[step < 3 for step in long]])
        runs = FirstEvents(steps, np.where(solved, "solved", "none"), budgets)
        found = incidence(runs, Cause.SOLVED, 0.8).at(2)
        total += chance
        if isinstance(found, NotEstimable):
            continue
        covered += chance * (found[1] <= truth <= found[2])
    assert total == pytest.approx(1)
    assert covered >= 0.8


def test_what_is_no_result_or_no_event_is_refused() -> None:
    one = np.array([1.0])
    with pytest.raises(ValueError, match="not a result"):
        first_events(np.array([np.inf]), one, np.array(["timeout"]), 5 * one)
    with pytest.raises(ValueError, match="after its end"):
        first_events(3 * one, one, np.array(["completed"]), one)
    with pytest.raises(ValueError, match="NaN"):
        first_events(np.array([np.nan]), one, np.array(["completed"]), one)
    with pytest.raises(ValueError, match="not an event"):
        cumulative_incidence(ten_runs(), Cause.NONE)
    with pytest.raises(ValueError, match="before the start"):
        incidence(ten_runs(), Cause.SOLVED).at(-1)


def test_nothing_can_be_said_without_runs() -> None:
    empty = FirstEvents(np.empty(0), np.empty(0, dtype=str), np.empty(0))
    assert cumulative_incidence(empty, Cause.SOLVED) == NotEstimable("no runs")
