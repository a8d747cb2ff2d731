"""Counts and times: closed forms."""

from __future__ import annotations

import math

import pytest

from bench.execution.tally import Tally, clock
from bench.records import Outcome, RunRecord
from tests.execution import planted


def record(outcome: Outcome, solved_step: int | None = None) -> RunRecord:
    return RunRecord(spec=planted.spec("any"), outcome=outcome, solved_step=solved_step)


def test_at_a_steady_pace_the_time_left_is_exact():
    tally = Tally(total=4, total_weight=100.0, workers=2)
    for weight, left in ((40.0, 30.0), (30.0, 15.0), (20.0, 5.0), (10.0, 0.0)):
        tally.add(record(Outcome.COMPLETED), weight)
        # Two seconds of estimated work are done in every second.
        assert tally.seconds_left(elapsed=tally.done_weight / 2) == pytest.approx(left)
    assert tally.share == pytest.approx(1.0)


def test_before_the_first_run_the_estimates_speak():
    tally = Tally(total=2, total_weight=100.0, workers=4)
    assert tally.seconds_left(elapsed=5.0) == 20.0
    assert tally.seconds_left(elapsed=500.0) == 0.0


def test_nothing_estimated_is_no_division_by_zero():
    tally = Tally(total=1, total_weight=0.0, workers=1)
    tally.add(record(Outcome.COMPLETED), 0.0)
    assert tally.share == 0.0
    assert math.isfinite(tally.seconds_left(elapsed=1.0))


def test_counts_name_every_outcome_that_occurred():
    tally = Tally(total=9, total_weight=9.0, workers=1)
    assert tally.counts() == "diverged 0, frozen 0, completed 0; solved 0; failed 0"
    for outcome in (Outcome.DIVERGED, Outcome.DIVERGED, Outcome.FROZEN, Outcome.TIMEOUT):
        tally.add(record(outcome), 1.0)
    tally.add(record(Outcome.COMPLETED, solved_step=7), 1.0)
    expected = "diverged 2, frozen 1, completed 1; solved 1; failed 0, timeout 1"
    assert tally.counts() == expected
    assert tally.done == 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (3599.4, "59:59"), (10800, "3:00:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text
