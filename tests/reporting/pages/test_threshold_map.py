from __future__ import annotations

from typing import Any

import numpy as np

from bench.records import RunRecord, Setting
from bench.reporting.pages.threshold_map import threshold_map_pages
from tests.reporting.made_up import COMPLETED, DIVERGED, record
from tests.reporting.pages.looks import asked


def cell(
    rate: float, threshold: float | None, num_diverged: int, num_runs: int = 3, **of_spec: Any
) -> list[RunRecord]:
    settings: dict[str, dict[str, Setting]] = {"sgd": {"lr": rate}}
    mitigation = "none"
    if threshold is not None:
        settings["clip_norm"] = {"threshold": threshold}
        mitigation = "clip_norm"
    return [
        record(
            DIVERGED if seed < num_diverged else COMPLETED,
            solved_step=None if seed <= num_diverged else 700,
            seed=seed,
            mitigation=mitigation,
            settings=settings,
            **of_spec,
        )
        for seed in range(num_runs)
    ]


def grid(**of_spec: Any) -> list[RunRecord]:
    return [
        *cell(0.1, 1.0, 0, **of_spec),
        *cell(0.1, 10.0, 1, **of_spec),
        *cell(1.0, 1.0, 2, **of_spec),
        *cell(1.0, 10.0, 3, **of_spec),
    ]


def test_every_cell_stands_at_its_threshold_and_rate() -> None:
    (page,), gaps = asked(threshold_map_pages, grid())
    (one,) = page.maps
    assert page.title == "adding, sgd, clip_norm"
    assert (list(page.thresholds), list(page.learning_rates)) == (["1", "10"], ["0.1", "1"])
    np.testing.assert_array_equal(one.num_diverged, [[0, 2], [1, 3]])
    np.testing.assert_array_equal(one.num_solved, [[2, 0], [1, 0]])
    np.testing.assert_array_equal(one.num_runs, np.full((2, 2), 3))
    assert gaps == []


def test_without_a_threshold_is_the_last_line_at_the_rates_of_the_map() -> None:
    untreated = [*cell(0.1, None, 3), *cell(5.0, None, 3)]
    (page,), _ = asked(threshold_map_pages, [*untreated, *grid()])
    assert list(page.thresholds) == ["1", "10", "none"]
    assert list(page.learning_rates) == ["0.1", "1"]
    np.testing.assert_array_equal(page.maps[0].num_runs[2], [3, 0])


def test_what_nobody_ran_counts_no_runs() -> None:
    (page,), _ = asked(threshold_map_pages, grid()[:-3])
    np.testing.assert_array_equal(page.maps[0].num_runs, [[3, 3], [3, 0]])


def test_architectures_stand_below_one_another() -> None:
    (page,), _ = asked(threshold_map_pages, [*grid(), *grid(architecture="lstm")])
    assert [one.name for one in page.maps] == ["lstm", "rnn_tanh"]


def test_a_row_or_a_diagonal_is_no_map() -> None:
    row = [*cell(0.1, 1.0, 0), *cell(0.1, 10.0, 0), *cell(0.1, 100.0, 0)]
    diagonal = [*cell(0.1, 1.0, 0), *cell(1.0, 10.0, 0)]
    assert asked(threshold_map_pages, row) == ([], [])
    assert asked(threshold_map_pages, diagonal) == ([], [])
