from __future__ import annotations

import random

import pytest

from bench.records import Outcome
from bench.reporting.cells import Cell, group
from bench.reporting.collection import collect
from tests.reporting.made_up import Stored, record, stored


def cells(runs: list[Stored]) -> list[Cell]:
    return group(collect(runs))


def test_only_current_results_count_and_the_rest_is_told_apart() -> None:
    runs = [
        *stored([record(seed=0), record(Outcome.DIVERGED, seed=1)]),
        *stored([record(seed=2)], "stale"),
        *stored([record(Outcome.FAILED, seed=3), record(Outcome.TIMEOUT, seed=4)]),
    ]
    (cell,) = cells(runs)
    assert [run.spec.seed for run in cell.results] == [0, 1]
    assert cell.why_not_counted == {"stale": 1, "failed": 1, "timeout": 1}


def test_the_order_of_the_runs_changes_nothing() -> None:
    runs = stored(
        record(seed=seed, architecture=architecture)
        for seed in range(5)
        for architecture in ("lstm", "gru")
    )
    shuffled = runs.copy()
    random.Random(0).shuffle(shuffled)
    assert cells(shuffled) == cells(runs)


def test_a_run_that_is_there_twice_is_refused_rather_than_counted_twice() -> None:
    with pytest.raises(ValueError, match="is there twice"):
        collect(stored([record(), record()]))


def test_a_cell_of_stale_runs_stays_until_its_members_have_run_anew() -> None:
    old = stored([record(mitigation="clip_norm")], "stale")
    (cell,) = cells(old)
    assert (cell.mitigation, len(cell.results)) == ("clip_norm", 0)
    anew = stored([record(mitigation="clip_norm", settings={"clip_norm": {"threshold": 2.0}})])
    (cell,) = cells([*old, *anew])
    assert (cell.mitigation, len(cell.results)) == ("clip_norm", 1)


def test_cells_that_meet_at_one_place_get_panels_of_their_own() -> None:
    runs = stored(record(settings={"sgd": {"lr": lr}}) for lr in (0.1, 0.01))
    assert [cell.panel for cell in cells(runs)] == ["adding, sgd (lr=0.01)", "adding, sgd (lr=0.1)"]


def test_a_tuned_rate_of_each_mitigation_does_not_split_the_panel() -> None:
    runs = stored(
        record(mitigation=mitigation, settings={"sgd": {"lr": lr}})
        for mitigation, lr in (("none", 0.01), ("clip_norm", 0.1))
    )
    found = cells(runs)
    assert [cell.panel for cell in found] == ["adding", "adding"]
    assert [cell.optimizer for cell in found] == ["sgd (lr=0.01)", "sgd (lr=0.1)"]
