"""What a worker says of a run that raises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.execution.worker import answer
from bench.records import BadInput, Outcome
from tests.execution import planted


def refused(spec):
    raise ConnectionError(
        f"https://user:hunter2@host in {Path.home()}/data with key 0123456789abcdef"
    )


def test_a_run_that_raises_tells_what_and_where_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MADE_UP_KEY", "0123456789abcdef")
    record = answer(replace(planted.WORK, run=refused), planted.spec("fine")).record
    assert record.outcome is Outcome.FAILED
    first, *_, last = record.error.splitlines()
    assert first == "Traceback (most recent call last):"
    assert 'File "tests/execution/test_worker.py", line' in record.error
    assert last == "ConnectionError: https://host in ~/data with key <MADE_UP_KEY>"


def test_bad_input_that_only_a_run_can_find_is_one_line():
    def unlucky(spec):
        raise BadInput(f"task.t: the teacher of seed {spec.seed} answers everything alike")

    record = answer(replace(planted.WORK, run=unlucky), planted.spec("fine")).record
    assert record.outcome is Outcome.FAILED
    assert record.error.startswith("BadInput: task.t: the teacher of seed ")
    assert "\n" not in record.error
