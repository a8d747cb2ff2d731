"""A whole batch: planned for real, stored for real, run by functions that misbehave."""

from __future__ import annotations

import io
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from rich.console import Console

from bench.execution import closing as closing_words
from bench.execution.driver_lock import driver_lock
from bench.execution.local import Summary, execute
from bench.planning import Plan, plan
from bench.records import BadInput, Outcome
from bench.results.store import Store, StoreLost
from tests.execution import planted

CELL = ("task=adding", "mitigation=none", "steps=5", "executor.workers=2")


@pytest.fixture
def planned(tmp_path):
    def make(*overrides: str) -> Plan:
        return replace(plan([*CELL, *overrides]), results=tmp_path / "store")

    return make


def run(plan: Plan, work=planted.WORK) -> tuple[Summary, list[str]]:
    summary = execute(plan, Console(file=io.StringIO()), work)
    return summary, list(closing_words.in_words(summary))


def test_a_run_that_raises_is_stored_listed_and_alone_tried_again(planned, monkeypatch):
    three = planned("seeds=3")
    monkeypatch.setenv("PLANTED_1", "raises")
    summary, lines = run(three)
    assert closing_words.exit_code(summary) == 1
    (failure,) = summary.failures
    assert failure.spec.seed == 1
    assert lines[0] == "1 of 3 runs gave no result; the same command tries it again:"
    assert lines[1].startswith(f"  {failure.spec.run_id} adding rnn_tanh none sgd seed 1: failed")
    assert lines[1].endswith("ZeroDivisionError: planted")
    assert ", 1 gave no result; next: bench report" in lines[-1]
    assert lines[-1].startswith("2 of 3 runs done")
    with Store(three.results) as store:
        stored = store.get(failure.spec.run_id)
        assert stored.record.outcome is Outcome.FAILED
        assert "planted.py" in stored.record.error
        assert len(store.current(three.runs)) == 2

    monkeypatch.delenv("PLANTED_1")
    summary, lines = run(three)
    assert (summary.num_current, summary.tally.total, summary.failures) == (2, 1, ())
    assert closing_words.exit_code(summary) == 0
    assert len(lines) == 1


def test_the_run_that_killed_its_worker_is_named(planned, monkeypatch):
    monkeypatch.setenv("PLANTED_2", "kills its worker")
    four = planned("seeds=4")
    summary, lines = run(four)
    assert [record.spec.seed for record in summary.failures] == [2]
    assert "killed by signal 9 (SIGKILL)" in lines[1]
    assert closing_words.exit_code(summary) == 1


def test_where_nothing_came_of_it_there_is_nothing_to_report(planned, monkeypatch):
    monkeypatch.setenv("PLANTED_0", "raises")
    _, lines = run(planned("seeds=1"))
    assert re.fullmatch(r"0 of 1 runs done in \d:\d\d, 1 gave no result", lines[-1])


def test_a_run_past_its_time_limit_is_no_result(planned, monkeypatch):
    monkeypatch.setenv("PLANTED_0", "hangs")
    summary, lines = run(planned("seeds=2", "executor.timeout=1"))
    assert [record.outcome for record in summary.failures] == [Outcome.TIMEOUT]
    assert "1 s (executor.timeout)" in lines[1]
    assert summary.tally.outcomes[Outcome.COMPLETED] == 1


def test_a_store_deleted_under_way_is_written_again_and_stops_the_batch(planned, monkeypatch):
    many = planned("seeds=30", "executor.workers=1")
    put = Store.put

    def put_and_delete(store, record, provenance):
        put(store, record, provenance)
        if len(store.digests()) == 3:
            shutil.rmtree(many.results)

    monkeypatch.setattr(Store, "put", put_and_delete)
    with pytest.raises(StoreLost, match=r"the runs up to now \(4\) were written there again"):
        run(many)
    monkeypatch.undo()
    summary, _ = run(many)
    assert (summary.num_current, summary.tally.done) == (4, 26)


def test_a_second_driver_is_refused_while_the_first_is_at_work(planned):
    one = planned("seeds=1")
    Store.open(one.results).close()
    with (
        driver_lock(one.results),
        pytest.raises(BadInput, match=rf"another bench run \(process {os.getpid()}\)"),
    ):
        run(one)
    summary, _ = run(one)
    assert summary.tally.done == 1


def test_what_is_complete_needs_no_worker(planned):
    twice = planned("seeds=2")
    run(twice)
    summary, lines = run(twice, work=None)
    assert summary.tally is None
    assert lines == [
        f"0 of 2 runs to do, all current in {twice.results}; next: bench report {twice.results}"
    ]


def test_more_seeds_run_only_the_new_ones(planned):
    run(planned("seeds=2"))
    summary, _ = run(planned("seeds=5"))
    assert (summary.num_current, summary.tally.done) == (2, 3)


def test_the_longest_runs_go_first(planned):
    lengths = planned("length=[10,400,50,200]", "seeds=1", "executor.workers=1")
    run(lengths)
    with closing(sqlite3.connect(lengths.results / "results.sqlite")) as connection:
        order = [
            spec.split('"length":')[1].split(",")[0]
            for (spec,) in connection.execute("SELECT spec FROM runs ORDER BY rowid")
        ]
    assert order == ["400", "200", "50", "10"]


def test_a_mode_of_the_mirror_that_there_is_not_stops_the_mirror_alone(planned, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "on-line")
    summary, lines = run(planned("seeds=1", "logger=wandb"))
    assert summary.tally.done == 1
    assert closing_words.exit_code(summary) == 0
    assert "did you mean online" in lines[0]
