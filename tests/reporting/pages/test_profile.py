from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.records import RunRecord
from bench.reporting.pages.profile import profile_pages
from tests.reporting.made_up import COMPLETED, DIVERGED, record
from tests.reporting.pages.looks import asked

DIGITS = {"higher_is_better": True, "chance_metric": 0.1, "metric": "accuracy"}
ADDING = {"higher_is_better": False, "chance_metric": 0.17}


def digits(accuracy: float, seed: int = 0, **of_spec: Any) -> RunRecord:
    return record(metric=accuracy, task="digits", facts=DIGITS, seed=seed, **of_spec)


def adding(error: float, seed: int = 0, **of_spec: Any) -> RunRecord:
    variant = {"adding": {"variant": "arjovsky"}}
    return record(metric=error, facts=ADDING, seed=seed, settings=variant, **of_spec)


def test_chance_level_is_0_and_the_criterion_is_1_in_every_task() -> None:
    (page,), gaps = asked(profile_pages, [digits(0.525), adding(0.05)])  # scores 0.5 and 0.75
    profile = page.panels[0]["none"]
    assert gaps == []
    assert page.columns == ["2 blocks: rnn_tanh"]
    reached = dict(zip(profile.thresholds.round(2), profile.share, strict=True))
    assert [reached[level] for level in (0.0, 0.49, 0.51, 0.74, 0.76, 1.0)] == [
        1,
        1,
        0.5,
        0.5,
        0,
        0,
    ]
    assert profile.area.mean == pytest.approx((0.5 + 0.75) / 2)


def test_a_solved_run_reaches_all_and_a_diverged_one_nothing() -> None:
    runs = [
        digits(0.97, mitigation="clip_norm"),
        adding(0.009, mitigation="clip_norm"),
        digits(0.97, outcome=DIVERGED),
        adding(0.009, outcome=DIVERGED),
    ]
    (page,), _ = asked(profile_pages, runs)
    assert page.panels[0]["clip_norm"].share.tolist() == [1.0] * 101
    assert page.panels[0]["none"].share.tolist() == [0.0] * 101


def field(seed: int, mitigation: str, skill: float) -> list[RunRecord]:
    luck = np.random.default_rng(seed).random()
    outcome = DIVERGED if luck > 0.8 else COMPLETED
    return [
        digits(0.1 + skill * luck, seed, mitigation=mitigation),
        adding(0.17 - 0.16 * skill * luck, seed, mitigation=mitigation, outcome=outcome),
    ]


def test_a_rival_changes_nothing() -> None:
    ours = [run for seed in range(8) for run in field(seed, "clip_norm", 0.7)]
    rival = [run for seed in range(8) for run in field(seed, "clip_value", 1.0)]
    (alone,), _ = asked(profile_pages, ours)
    (beside,), _ = asked(profile_pages, ours + rival)
    one, other = alone.panels[0]["clip_norm"], beside.panels[0]["clip_norm"]
    np.testing.assert_array_equal(one.share, other.share)
    np.testing.assert_array_equal(one.band, other.band)
    assert one.area == other.area


def test_who_ran_in_fewer_blocks_stands_apart_with_the_baseline_in_those() -> None:
    runs = [
        run
        for seed in range(3)
        for run in (
            *field(seed, "none", 0.5),
            *field(seed, "clip_norm", 0.5),
            digits(0.3, seed, architecture="lstm"),
            digits(0.3, seed, architecture="lstm", mitigation="clip_norm"),
            *field(seed, "omega", 0.9),
        )
    ]
    pages, gaps = asked(profile_pages, runs)
    assert gaps == []
    drawn = {page.columns[0]: set(page.panels[0]) for page in pages}
    assert drawn == {
        "3 blocks: rnn_tanh, lstm": {"none", "clip_norm"},
        "2 blocks: rnn_tanh": {"none", "omega"},
    }


def test_one_block_has_no_profile() -> None:
    assert asked(profile_pages, [digits(0.5), digits(0.6, mitigation="clip_norm")]) == ([], [])


def test_a_task_without_a_scale_and_a_block_with_other_seeds_are_gaps() -> None:
    runs = [
        *[one for seed in range(4) for one in field(seed, "none", 0.5)],
        record(task="char_lm", facts=ADDING, mitigation="clip_norm"),
        digits(0.5, seed=99, architecture="lstm", mitigation="omega"),
    ]
    (page,), gaps = asked(profile_pages, runs)
    assert set(page.panels[0]) == {"none"}
    assert dict(gaps) == {
        "clip_norm": "performance profile: its block has not the seeds of the others",
        "omega": "performance profile: its block has not the seeds of the others",
    }
    same_seeds = [
        *[one for seed in range(4) for one in field(seed, "none", 0.5)],
        *[record(task="char_lm", facts=ADDING, seed=seed) for seed in range(4)],
    ]
    _, gaps = asked(profile_pages, same_seeds)
    assert [reason for _, reason in gaps] == [
        "performance profile: the criterion of char_lm is no number that its file states"
    ]


def test_a_missing_metric_is_a_gap_and_never_a_score() -> None:
    runs = [
        *[one for seed in range(2) for one in field(seed, "none", 0.5)],
        *[
            record(scores={}, task="digits", facts=DIGITS, seed=seed, mitigation="omega")
            for seed in range(2)
        ],
    ]
    (page,), gaps = asked(profile_pages, runs)
    assert set(page.panels[0]) == {"none"}
    assert gaps == [("omega", "performance profile: 2 of 2 runs hold no test metric")]
