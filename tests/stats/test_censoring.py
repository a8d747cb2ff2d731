from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from bench.stats.censoring import TimesToReach, times_to_reach
from bench.stats.estimates import NotEstimable

BUDGET = 1000
RUNS = st.lists(st.one_of(st.integers(1, BUDGET), st.just(np.inf)), min_size=1, max_size=12)


def times(steps: list[float]) -> TimesToReach:
    found = times_to_reach(np.array(steps, dtype=float))
    assert isinstance(found, TimesToReach)
    return found


def figures(found: TimesToReach) -> list[float]:
    """All of them, so that less is better for each."""
    quartiles = [found.lower_quartile, found.upper_quartile]
    return [
        -found.num_reached,
        found.median,
        *(end for end in quartiles if not isinstance(end, NotEstimable)),
    ]


def test_half_of_the_runs_decide_the_median() -> None:
    found = times([300, 100, np.inf, 200, np.inf])
    assert (found.num_reached, found.num_runs) == (3, 5)
    assert (found.lower_quartile, found.median, found.upper_quartile) == (200, 300, np.inf)


def test_where_most_never_get_there_the_median_is_never() -> None:
    assert times([100, 200, np.inf, np.inf, np.inf]).median == np.inf
    assert times([100, 200, np.inf, np.inf]).median == 200


@given(RUNS)
def test_it_is_the_kaplan_meier_estimate_with_all_censoring_at_the_budget(
    steps: list[float],
) -> None:
    reached = np.isfinite(steps)
    if not reached.any():
        return
    curve = SurvfuncRight(np.minimum(steps, BUDGET + 1), reached)
    found = times(steps)
    for share, ours in ((0.25, found.lower_quartile), (0.5, found.median)):
        if isinstance(ours, float):
            enough = curve.surv_prob <= 1 - share + 1e-12
            expected = curve.surv_times[enough][0] if enough.any() else np.inf
            assert ours == expected


@given(RUNS, st.data())
def test_a_run_that_dies_instead_improves_nothing(steps: list[float], data: st.DataObject) -> None:
    worse = steps.copy()
    worse[data.draw(st.integers(0, len(steps) - 1))] = np.inf
    for before, after in zip(figures(times(steps)), figures(times(worse)), strict=True):
        assert after >= before


@given(RUNS, st.randoms())
def test_the_order_of_the_seeds_changes_nothing(steps: list[float], random: object) -> None:
    shuffled = steps.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert times(shuffled) == times(steps)


@given(RUNS)
def test_every_figure_is_a_step_that_some_run_took(steps: list[float]) -> None:
    assert set(figures(times(steps))[1:]) <= set(steps)


def test_too_few_runs_have_no_quartiles() -> None:
    found = times([100, 200, 300])
    assert found.median == 200
    assert found.lower_quartile == found.upper_quartile
    assert found.lower_quartile == NotEstimable("3 runs: quartiles need 4")
    assert times([100]).lower_quartile == NotEstimable("1 run: quartiles need 4")


def test_no_runs_and_nan_are_not_numbers() -> None:
    assert times_to_reach(np.empty(0)) == NotEstimable("no runs")
    with pytest.raises(ValueError, match="NaN"):
        times_to_reach(np.array([1.0, np.nan]))
