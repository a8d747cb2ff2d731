from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.records import Outcome, RunRecord
from bench.reporting.pages.cost_benefit import cost_benefit_pages
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar, mcnemar
from tests.reporting.made_up import COMPLETED, DIVERGED, STEPS, record
from tests.reporting.pages.looks import asked

NUM_SEEDS = 8


def timed(seconds: float, seed: int, outcome: Outcome = COMPLETED, **of_spec: Any) -> RunRecord:
    """`seconds` of CPU time an update."""
    run = record(outcome, seed=seed, **of_spec)
    return replace(run, cpu_seconds=seconds * run.steps_done)


def pairs(factor: float, num_seeds: int = NUM_SEEDS, **of_spec: Any) -> list[RunRecord]:
    """Seed by seed another time, always `factor` as long with the mitigation."""
    return [
        timed(times * 0.01 * (1 + seed), seed, mitigation=mitigation, **of_spec)
        for mitigation, times in (("none", 1.0), ("clip_norm", factor))
        for seed in range(num_seeds)
    ]


def test_the_ratio_is_that_within_a_seed() -> None:
    (page,), gaps = asked(cost_benefit_pages, pairs(1.5))
    point = page.panels[0]["clip_norm"]
    assert gaps == []
    assert point.time_ratio == pytest.approx(1.5)
    assert point.time_interval == pytest.approx((1.5, 1.5))


def test_the_change_is_that_of_the_comparisons() -> None:
    ours, theirs = [seed < 6 for seed in range(8)], [seed == 7 for seed in range(8)]
    runs = [
        timed(0.01, seed, mitigation=mitigation, solved_step=900 if has_solved[seed] else None)
        for mitigation, has_solved in (("clip_norm", ours), ("none", theirs))
        for seed in range(8)
    ]
    (page,), _ = asked(cost_benefit_pages, runs)
    point, expected = page.panels[0]["clip_norm"], mcnemar(np.array(ours), np.array(theirs))
    assert isinstance(expected, McNemar)
    assert point.change == expected.difference == pytest.approx(5 / 8)
    assert point.change_interval == (expected.low, expected.high)


def test_a_run_that_died_at_once_is_not_timed() -> None:
    runs = pairs(1.5)
    died = timed(100.0, 0, DIVERGED, steps_done=STEPS // 10 - 1, mitigation="none")
    (page,), gaps = asked(cost_benefit_pages, [died, *runs[1:]])
    assert page.panels[0]["clip_norm"].time_ratio == pytest.approx(1.5)
    assert "8 pairs of runs with the same seed, 7 of them long enough to be timed" in page.note
    assert gaps == []


def test_where_every_pair_died_at_once_there_is_a_gap() -> None:
    runs = [run for run in pairs(1.5) if run.spec.mitigation_name != "none"]
    died = [timed(1.0, seed, DIVERGED, mitigation="none") for seed in range(NUM_SEEDS)]
    pages, gaps = asked(cost_benefit_pages, [*runs, *died])
    assert pages == []
    assert gaps == [
        (
            "clip_norm",
            "cost and benefit: of no seed did both runs, with and without, do 10 % of their "
            "updates",
        )
    ]


def test_few_pairs_have_a_ratio_without_an_interval() -> None:
    (page,), _ = asked(cost_benefit_pages, pairs(1.5, num_seeds=4))
    point = page.panels[0]["clip_norm"]
    assert point.time_ratio == pytest.approx(1.5)
    assert isinstance(point.time_interval, NotEstimable)


def test_without_times_or_without_a_control_there_is_nothing_and_no_gap() -> None:
    untimed = [replace(run, cpu_seconds=0.0) for run in pairs(1.5)]
    alone = [run for run in pairs(1.5) if run.spec.mitigation_name != "none"]
    assert asked(cost_benefit_pages, untimed) == ([], [])
    assert asked(cost_benefit_pages, alone) == ([], [])


def test_it_says_on_which_machine() -> None:
    (page,), _ = asked(cost_benefit_pages, pairs(2.0), cpu_model="EPYC", cpu_capability="AVX2")
    assert page.note.endswith("processor: EPYC (AVX2)")
