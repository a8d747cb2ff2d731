"""The rules by which a run ends, one update after another."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.records import Outcome
from bench.training.outcome import OutcomeJudge, SolvedJudge, negligible_change

NEGLIGIBLE = 1e-9


def judge(window: int, steps: int = 1000) -> OutcomeJudge:
    return OutcomeJudge(window=window, steps=steps, explosion_bound=10.0, negligible=NEGLIGIBLE)


def update(**changes: Any) -> dict[str, Any]:
    healthy = {
        "loss": 0.1,
        "gradient_norm": 1.0,
        "learning_rate": 0.1,
        "parameters_are_finite": True,
        "change_norm": 0.01,
        "state_lost": 0.0,
    }
    return healthy | changes


def test_the_explosion_window_must_be_unbroken():
    one = judge(window=3)
    losses = [11, 11, 1, 11, math.inf, math.nan]
    outcomes = [one.after_update(**update(loss=loss)) for loss in losses]
    assert outcomes == [None] * 5 + [Outcome.DIVERGED]


@pytest.mark.parametrize("reason", [{"gradient_norm": 0.0}, {"learning_rate": 0.0}])
def test_standing_still_for_a_reason_is_not_frozen(reason):
    one = judge(window=2)
    for _ in range(5):
        assert one.after_update(**update(change_norm=0.0, **reason)) is None
    for expected in (None, Outcome.FROZEN):
        assert one.after_update(**update(change_norm=0.0)) is expected


def test_a_change_that_the_budget_cannot_make_count_is_none():
    one = judge(window=2)
    more = math.nextafter(NEGLIGIBLE, 1)
    changes = [NEGLIGIBLE, more, NEGLIGIBLE, NEGLIGIBLE]
    outcomes = [one.after_update(**update(change_norm=change)) for change in changes]
    assert outcomes == [None, None, None, Outcome.FROZEN]


@pytest.mark.parametrize("steps", [1, 1000])
@pytest.mark.parametrize("precision", [2.0**-23, 2.0**-52])
def test_a_budget_of_negligible_changes_is_one_rounding_unit(steps, precision):
    change = negligible_change(scale=0.5, precision=precision, steps=steps)
    assert 0.5 + steps * change == pytest.approx(0.5 * (1 + precision), rel=1e-16)
    assert negligible_change(scale=0.0, precision=precision, steps=steps) == 0


@pytest.mark.parametrize(
    ("sign", "outcome"),
    [({"loss": math.nan}, Outcome.DIVERGED), ({"change_norm": 0.0}, Outcome.FROZEN)],
)
def test_a_window_longer_than_the_run_is_the_run(sign, outcome):
    one = judge(window=20, steps=3)
    outcomes = [one.after_update(**update(**sign)) for _ in range(3)]
    assert outcomes == [None, None, outcome]


def test_half_of_the_coordinates_lost_is_frozen():
    assert judge(window=9).after_update(**update(state_lost=0.49)) is None
    assert judge(window=9).after_update(**update(state_lost=0.5)) is Outcome.FROZEN


def test_solved_is_the_first_of_checks_in_a_row_and_stays():
    one = SolvedJudge(checks=3)
    holds = [True, True, False, True, True, True, False, True]
    for step, held in enumerate(holds, start=1):
        one.after_evaluation(step, held)
        assert one.solved_step == (4 if step >= 6 else None)
