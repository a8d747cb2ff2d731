from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.planning.seeds import Purpose, seeds_for
from bench.records import Outcome, RunRecord
from bench.reporting.pages.window import widest_window, window_pages
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import clopper_pearson
from tests.reporting.made_up import COMPLETED, DIVERGED, FROZEN, record
from tests.reporting.pages.looks import asked

RATES = (0.001, 0.01, 0.1, 1.0)
SEEDS = seeds_for(Purpose.SWEEP, 3)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_the_window_is_the_longest_stretch_of_stable_rates(is_stable: list[bool]) -> None:
    rates = [10.0**power for power in range(len(is_stable))]
    stretches = [
        (start, end)
        for start, end in itertools.combinations_with_replacement(range(len(rates)), 2)
        if all(is_stable[start : end + 1])
    ]
    found = widest_window(rates, is_stable)
    if not stretches:
        assert found is None
        return
    start, end = max(stretches, key=lambda pair: (pair[1] - pair[0], -pair[0]))
    assert found == (rates[start], rates[end])


def test_decades_count_and_not_how_many_rates_were_tried() -> None:
    rates = [0.1, 0.11, 0.12, 1.0, 2.0, 20.0]
    assert widest_window(rates, [True, True, True, False, True, True]) == (2.0, 20.0)


def swept(lost: dict[float, int], how: Outcome = DIVERGED, **of_spec: Any) -> list[RunRecord]:
    """A cell and its sweep, in which `lost` runs of a rate end badly."""
    runs = [record(seed=0, **of_spec)]
    for rate, (index, seed) in itertools.product(RATES, enumerate(SEEDS)):
        ended = how if index < lost.get(rate, 0) else COMPLETED
        steps = 7 if ended is FROZEN else None
        settings = {"sgd": {"lr": rate}}
        runs.append(record(ended, steps_done=steps, seed=seed, settings=settings, **of_spec))
    return runs


@pytest.mark.parametrize("how", [DIVERGED, FROZEN])
def test_a_rate_at_which_one_run_is_lost_is_not_stable(how: Outcome) -> None:
    (page,), gaps = asked(window_pages, swept({0.001: 1, 1.0: 3}, how))
    line = page.panels[0]["none"]
    assert gaps == []
    assert page.stable == "all 3 runs survive"
    assert list(line.survived.x) == list(RATES)
    assert list(line.survived.shares) == [clopper_pearson(count, 3) for count in (2, 3, 3, 0)]
    assert line.window == (0.01, 0.1)


def test_a_metric_is_that_of_all_runs_and_diverged_is_worst() -> None:
    (page,), _ = asked(window_pages, swept({0.1: 2, 1.0: 3}))
    first, _, third, last = page.panels[0]["none"].metrics
    assert not isinstance(first, NotEstimable)
    assert not isinstance(third, NotEstimable)
    assert (first.median, third.median) == (0.05, math.inf)
    assert isinstance(last, NotEstimable)
    assert (page.metric, page.chance) == ("test mse", 0.167)


@pytest.mark.parametrize(
    ("facts", "metric", "is_logarithmic"),
    [
        ({"higher_is_better": False}, 0.05, True),
        ({"higher_is_better": False}, 0.0, False),  # no room on a logarithmic axis
        ({"higher_is_better": True}, 0.05, False),
    ],
)
def test_a_loss_has_a_logarithmic_axis(
    facts: dict[str, bool], metric: float, is_logarithmic: bool
) -> None:
    (page,), _ = asked(window_pages, swept({}, facts=facts, metric=metric))
    assert page.metric_is_logarithmic == is_logarithmic
    assert page.higher_is_better == facts["higher_is_better"]


def test_a_plain_grid_of_rates_is_a_sweep_under_one_title() -> None:
    grid = [
        record(seed=seed, mitigation=mitigation, settings={"sgd": {"lr": rate}})
        for rate in RATES
        for seed in range(2)
        for mitigation in ("none", "clip_norm")
    ]
    (page,), gaps = asked(window_pages, grid)
    assert (page.title, gaps) == ("adding, sgd", [])
    assert set(page.panels[0]) == {"none", "clip_norm"}
    assert page.stable == "all 2 runs survive"


def test_who_was_not_swept_where_others_were_is_a_gap() -> None:
    runs = [*swept({}), record(mitigation="clip_norm"), record(task="parity")]
    (page,), gaps = asked(window_pages, runs)
    assert set(page.panels[0]) == {"none"}
    assert gaps == [("clip_norm", "learning-rate window: results at fewer than 3 rates")]


def test_without_a_sweep_there_is_nothing_and_no_gap() -> None:
    assert asked(window_pages, [record(), record(mitigation="clip_norm")]) == ([], [])


def test_a_sweep_without_a_metric_is_a_gap() -> None:
    pages, gaps = asked(window_pages, swept({}, scores={}))
    assert pages == []
    assert gaps == [("none", "learning-rate window: 12 of 12 runs hold no test metric")]
