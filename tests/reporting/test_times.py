from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest

from bench.records import Outcome, RunRecord
from bench.reporting.cells import Cell, group
from bench.reporting.collection import collect
from bench.reporting.formats import FORMATS, render
from bench.reporting.tables import Table
from bench.reporting.times import compared_times, times_of
from bench.reporting.times_comparison_table import times_comparison_table
from bench.reporting.times_table import times_table
from bench.stats.estimates import NotEstimable
from bench.stats.running_time import RestrictedMean, RunningTime
from tests.reporting.made_up import record, stored, whole_report


def cells(records: list[RunRecord]) -> list[Cell]:
    return group(collect(stored(records)))


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv"))))


def ten() -> list[RunRecord]:
    """Four solve, after 450 of 1000 updates on average; four diverge after 35; two do neither."""
    solved = [record(seed=s, solved_step=t, steps=1000) for s, t in enumerate((300, 400, 500, 600))]
    diverged = [
        record(Outcome.DIVERGED, seed=seed, steps_done=35, steps=1000) for seed in range(4, 8)
    ]
    return [*solved, *diverged, *(record(seed=seed, steps=1000) for seed in (8, 9))]


def solving(mitigation: str, steps: list[int | None], **of_spec: Any) -> list[RunRecord]:
    return [
        record(mitigation=mitigation, seed=seed, solved_step=step, steps=1000, **of_spec)
        for seed, step in enumerate(steps)
    ]


def test_the_ten_runs_of_the_documentation() -> None:
    found = times_of(cells(ten())[0])
    assert isinstance(found.restricted_mean, RestrictedMean)
    assert isinstance(found.running_time, RunningTime)
    assert found.restricted_mean.mean == (4 * 450 + 6 * 1000) / 10
    assert found.running_time.steps == (4 * 450 + 4 * 35 + 2 * 1000) / 4 == 985
    table = times_table(cells(ten()))
    shown = dict(zip(table.headings, table.lines[0], strict=True))
    assert shown["Solved first"] == shown["Diverged first"] == "4/10 [12, 74]"
    assert shown["Restricted mean"].startswith("780 [")
    assert shown["Per success"].startswith("985 [")
    (row,) = read(table)
    assert (row["solved_first"], row["diverged_first"], row["frozen_first"]) == ("4", "4", "0")
    assert float(row["diverged_first_share"]) == 0.4
    assert "Frozen first" not in table.headings


def test_what_happened_first_counts_and_a_run_that_solved_has_solved() -> None:
    late = record(Outcome.DIVERGED, solved_step=100, steps_done=900, steps=1000)
    frozen = record(Outcome.FROZEN, seed=1, steps_done=60, steps=1000)
    table = times_table(cells([late, frozen]))
    (row,) = read(table)
    assert (row["solved_first"], row["diverged_first"], row["frozen_first"]) == ("1", "0", "1")
    assert row["steps_per_success"] == "160"  # 100 to solving, 60 in vain
    assert "Frozen first" in table.headings
    assert "or froze" in table.caption


def test_without_a_success_the_lower_end_is_all_there_is() -> None:
    table = times_table(cells(solving("none", [None] * 5)))
    shown = dict(zip(table.headings, table.lines[0], strict=True))
    assert shown["Solved first"] == "0/5 [0, 52]"
    assert shown["Per success"].startswith("none solved, > ")
    assert shown["Restricted mean"].startswith("1000 [")
    assert shown["Restricted mean"].endswith(", 1000]")
    (row,) = read(table)
    assert row["steps_per_success"] == row["steps_per_success_high"] == ""
    assert float(row["steps_per_success_low"]) > 0
    assert row["steps_per_success_note"] == "steps_per_success: no run solved; high: no run solved"


def test_a_run_that_was_stopped_when_it_solved_needs_no_more_steps() -> None:
    stopped = record(solved_step=200, steps_done=360, steps=1000, stop_on_solved=True)
    (row,) = read(times_table(cells([stopped])))
    assert float(row["restricted_mean"]) == float(row["steps_per_success"]) == 200


def test_a_cell_without_results_has_no_numbers_and_says_why() -> None:
    failed = record(Outcome.FAILED, mitigation="omega")
    rows = read(times_table(cells([*ten(), failed])))
    (row,) = [row for row in rows if row["mitigation"] == "omega"]
    assert row["restricted_mean"] == row["steps_per_success"] == row["solved_first_share"] == ""
    assert row["restricted_mean_note"] == row["steps_per_success_note"] == "no runs"


def test_sooner_is_negative_and_the_whole_is_the_budget() -> None:
    """Every seed a fifth of the budget sooner, but by different amounts."""
    control = [700, 720, 740, 760, 780, 800, 820]
    mine = [step - 200 + shift for step, shift in zip(control, range(-30, 40, 10), strict=True)]
    (found,) = compared_times(cells(solving("none", control) + solving("l2", mine)))
    assert not isinstance(found.difference, NotEstimable)
    assert not isinstance(found.difference.interval, NotEstimable)
    assert found.difference.mean == pytest.approx(-0.2)
    low, high = found.difference.interval
    assert -0.23 <= low < -0.2 < high <= -0.17
    assert found.p == found.p_adjusted == 2 / 2**7
    assert (found.mean, found.mean_of_none) == (pytest.approx(0.56), pytest.approx(0.76))


def test_an_unsolved_run_counts_as_the_budget_however_it_ended() -> None:
    diverged = [
        record(Outcome.DIVERGED, seed=seed, steps=1000, mitigation="l2") for seed in range(6)
    ]
    never = solving("l2", [None] * 6)
    control = solving("none", [500] * 6)
    one, other = (compared_times(cells(control + mine)) for mine in (diverged, never))
    assert one == other
    assert not isinstance(one[0].difference, NotEstimable)
    assert one[0].difference.mean == 0.5
    assert one[0].difference.interval == NotEstimable(
        "all 6 differences are 0.5: no spread to judge by"
    )
    assert one[0].p == 2 / 2**6


def test_the_seed_is_the_unit_and_each_block_weighs_the_same() -> None:
    records = []
    for architecture, steps in (("rnn_tanh", 400), ("lstm", 800)):
        records += solving("none", [1000] * 6, architecture=architecture)
        records += solving("l2", [steps] * 6, architecture=architecture)
    (found,) = compared_times(cells(records))
    assert not isinstance(found.difference, NotEstimable)
    assert (found.num_blocks, found.difference.num_pairs) == (2, 6)
    assert found.difference.mean == pytest.approx(-0.4)
    assert found.p == 2 / 2**6


def test_a_seed_that_lacks_one_of_its_runs_is_dropped_and_counted() -> None:
    control = solving("none", [500] * 8)
    mine = solving("l2", [400] * 8)[2:]
    table = times_comparison_table(cells(control + mine))
    assert table is not None
    (row,) = read(table)
    assert (row["seeds"], row["dropped_seeds"]) == ("6", "2")
    (alone,) = compared_times(cells(control[:2] + mine))
    assert alone.difference == NotEstimable("no seed has both in every block")


def test_holm_counts_the_mitigations_of_the_table() -> None:
    records = solving("none", [900] * 8)
    for index, name in enumerate(("l1", "l2", "omega")):
        records += solving(name, [500 + 100 * index + 10 * seed for seed in range(8)])
    found = compared_times(cells(records))
    assert [each.mitigation for each in found] == ["l1", "l2", "omega"]
    raw = [each.p for each in found]
    assert raw == [2 / 2**8] * 3
    assert [each.p_adjusted for each in found] == [3 * 2 / 2**8] * 3


def test_few_seeds_have_an_estimate_and_no_interval() -> None:
    table = times_comparison_table(cells(solving("none", [500] * 3) + solving("l2", [400] * 3)))
    assert table is not None
    assert table.lines[0][5:] == ["-10 (no interval)", "0.250 (0.250)"]
    (row,) = read(table)
    assert (row["difference_low"], row["difference_note"]) == (
        "",
        "3 pairs: an interval of 95% needs 6",
    )


def test_without_a_control_there_is_nothing_to_compare() -> None:
    assert times_comparison_table(cells(solving("l2", [3]))) is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_whole_report_has_finite_numbers_or_words(suffix: str) -> None:
    found = cells(whole_report())
    compared = times_comparison_table(found)
    assert compared is not None
    for table in (times_table(found), compared):
        text = render(table, suffix)
        assert not any(word in text.split(",") for word in ("nan", "inf", "None"))
        for row in table.records:
            assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))
