"""Batches that are stopped half way, in earnest; the same command then goes on from there."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import contextmanager

import psutil
import pytest

from bench.planning.planner import plan
from bench.results.checking import check
from bench.results.store import Store
from tests.end_to_end.conftest import COMMAND, stored

BATCH = (
    "task=adding",
    "architecture=rnn_tanh",
    "mitigation=none",
    "length=20",
    "hidden_size=8",
    "steps=300",
    "task.adding.evaluation_size=100",
    "seeds=16",
    "executor.workers=2",
    "results=store",
)


@contextmanager
def under_way(folder, *more: str, num_stored: int = 3):
    """A driver, in a process group of its own, that has stored at least `num_stored` runs."""
    driver = subprocess.Popen(
        [*COMMAND, "run", *BATCH, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with driver:
        try:
            deadline = time.monotonic() + 100
            while _num_stored(folder) < num_stored:
                assert driver.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield driver
        finally:
            driver.kill()


def _num_stored(folder) -> int:
    try:
        return len(stored(folder))
    except sqlite3.OperationalError:  # not made yet
        return 0


def current(folder) -> set[str]:
    """The runs that the same command would not make again."""
    with Store(folder) as store:
        return store.current(plan([*BATCH]).runs)


def test_a_killed_driver_leaves_no_worker_and_a_store_that_goes_on(bench, tmp_path):
    with under_way(tmp_path / "store") as driver:
        family = psutil.Process(driver.pid).children(recursive=True)
        assert family
        driver.kill()
        driver.wait()
        _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    before = stored(tmp_path / "store")
    assert 3 <= len(before) < 16
    assert check(tmp_path / "store").findings == ()

    resumed = bench("run", *BATCH).stdout
    assert f"{16 - len(before)} of 16 runs done" in resumed
    assert f"{len(before)} were current" in resumed
    after = stored(tmp_path / "store")
    assert len(after) == 16
    assert {run_id: after[run_id] for run_id in before} == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_stops_in_good_order(bench, tmp_path, number, code):
    with under_way(tmp_path / "store") as driver:
        family = psutil.Process(driver.pid).children(recursive=True)
        if number == signal.SIGINT:
            os.killpg(driver.pid, number)  # as a terminal does
        else:
            driver.send_signal(number)
        output, errors = driver.communicate(timeout=60)
        _, alive = psutil.wait_procs(family, timeout=20)
    assert driver.returncode == code
    assert errors == ""
    assert not alive
    before = stored(tmp_path / "store")
    assert output.splitlines()[-1] == (
        f"stopped by {signal.Signals(number).name}: {len(before)} of 16 runs are stored in store; "
        "the same command goes on from there"
    )
    assert current(tmp_path / "store") == set(before)
