from __future__ import annotations

import pytest

from bench.reporting.pages.incidence import incidence_pages, solved_and_diverged
from tests.reporting.made_up import COMPLETED, DIVERGED, FROZEN, STEPS, record
from tests.reporting.pages.looks import asked


def test_each_is_the_others_competing_event() -> None:
    runs = [
        record(DIVERGED, seed=0, steps_done=100),
        record(DIVERGED, seed=1, steps_done=900, solved_step=400),  # had solved by then
        record(FROZEN, seed=2, steps_done=50),
        record(COMPLETED, seed=3),
        record(COMPLETED, seed=4, solved_step=1500),
    ]
    both = solved_and_diverged(runs)
    assert both is not None
    for step, solved, diverged in ((99, 0, 0), (100, 0, 1), (400, 1, 1), (STEPS, 2, 1)):
        for curve, count in ((both.solved, solved), (both.diverged, diverged)):
            found = curve.at(step)
            assert isinstance(found, tuple)
            assert found[0] == pytest.approx(count / 5)


def test_a_run_that_was_stopped_when_it_solved_counts_to_the_end() -> None:
    runs = [
        record(COMPLETED, seed=0, solved_step=100, steps_done=160, stop_on_solved=True),
        record(COMPLETED, seed=1, stop_on_solved=True),
    ]
    both = solved_and_diverged(runs)
    assert both is not None
    assert both.solved.at(STEPS) == pytest.approx(both.solved.at(100))


def test_one_panel_for_each_task_and_pages_for_many_mitigations() -> None:
    runs = [
        record(task=task, mitigation=mitigation)
        for task in ("adding", "parity")
        for mitigation in ("none", *(f"m{index}" for index in range(8)))
    ]
    pages, gaps = asked(incidence_pages, runs)
    assert [page.title for page in pages] == ["adding", "adding", "parity", "parity"]
    assert all("none" in page.panels[0] for page in pages)
    assert {name for page in pages for name in page.panels[0]} == {
        "none",
        *(f"m{index}" for index in range(8)),
    }
    assert gaps == []


def test_without_a_run_there_is_no_curve() -> None:
    assert solved_and_diverged([]) is None
