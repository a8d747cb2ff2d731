"""The pool against runs and workers that go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.execution.pool import Pool
from bench.execution.worker import WorkerError
from bench.records import Outcome
from tests.execution import planted

CHECKOUT = str(Path(__file__).parents[2])
ONE_RUN = (
    "task=adding",
    "architecture=rnn_tanh",
    "mitigation=none",
    "length=10",
    "steps=20",
    "seeds=1",
    "results=store",
)


def pool(workers: int = 2, timeout: float | None = None, work=planted.WORK) -> Pool:
    return Pool(work, workers=workers, timeout=timeout)


def test_a_run_that_goes_wrong_is_named_and_the_others_go_on():
    reasons = {
        "kills its worker": "the worker process was killed by signal 9 (SIGKILL) during this run",
        "crashes its worker": "the worker process was killed by signal 6 (SIGABRT) during this run",
        "raises": "ZeroDivisionError: planted",
        "exits": "SystemExit: 3",
    }
    good = [f"good {number}" for number in range(8)]
    with pool() as workers:
        found = planted.all_records(workers, list(map(planted.spec, [*good, *reasons, "last"])))
    records = {record.spec.task.name: record for record in found}
    assert len(found) == len(records) == len(good) + len(reasons) + 1
    for name, record in records.items():
        expected = Outcome.FAILED if name in reasons else Outcome.COMPLETED
        assert record.outcome is expected
        assert reasons.get(name, "") in (record.error or "")


def test_a_run_has_a_time_limit_and_its_worker_is_replaced():
    with pool(workers=1, timeout=0.5) as workers:
        late, fine = planted.all_records(workers, [planted.spec("hangs"), planted.spec("fine")])
    assert (late.outcome, late.spec.task.name) == (Outcome.TIMEOUT, "hangs")
    assert "0.5 s" in late.error
    assert fine.outcome is Outcome.COMPLETED


def test_a_worker_killed_from_outside_costs_the_run_it_was_at_and_no_other(tmp_path):
    flag = tmp_path / "flag"
    with pool(workers=1) as workers:
        workers.submit(planted.spec("hangs", flag=str(flag)))
        workers.submit(planted.spec("waits its turn"))
        victim = planted.wait_for(flag)
        os.kill(victim, signal.SIGKILL)
        lost, fine = planted.all_records(workers, [])
    assert (lost.outcome, lost.spec.task.name) == (Outcome.FAILED, "hangs")
    assert fine.outcome is Outcome.COMPLETED
    assert fine.curves["process"] != victim


def test_workers_persist_and_have_one_thread():
    with pool() as workers:
        records = planted.all_records(workers, [planted.spec("fine", seed) for seed in range(40)])
    assert 1 <= len({int(record.curves["process"][0]) for record in records}) <= 2
    assert all(record.curves["threads"] == 1 for record in records)


def test_ctrl_c_reaches_the_driver_alone():
    # In a fresh process, since multiprocessing unblocks signals when it starts its first helper.
    program = f"import sys; sys.path.insert(0, {CHECKOUT!r})\n{BLOCKED}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "worker True, driver False\n", done.stderr


def test_idle_workers_may_die(tmp_path):
    """Pebble then gives up everything that it was asked to do."""
    with pool(workers=1) as workers:
        (first,) = planted.all_records(workers, [planted.spec("fine")])
        os.kill(int(first.curves["process"][0]), signal.SIGKILL)
        records = planted.all_records(workers, [planted.spec("fine", seed) for seed in range(1, 9)])
    assert [record.outcome for record in records] == [Outcome.COMPLETED] * 8


def test_workers_that_never_live_are_not_tried_for_ever():
    with (
        pool(work=replace(planted.WORK, warm_up=planted.die)) as workers,
        pytest.raises(WorkerError, match="bench doctor"),
    ):
        planted.all_records(workers, [planted.spec("fine")])


@pytest.mark.parametrize(
    ("command", "planted"),
    [
        (["bench"], ["torch", "pickle", "json", "multiprocessing", "numpy", "bench"]),
        # What `python -m bench` itself loads, Python looks for in the current folder first.
        (["python3", "-m", "bench"], ["torch"]),
    ],
    ids=["bench", "python -m bench"],
)
def test_a_worker_runs_no_file_of_the_current_folder(tmp_path, command, planted):
    for name in planted:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'w').close()")
    program, *rest = command
    run = [Path(sys.executable).with_name(program), *rest, "run", *ONE_RUN]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert not (tmp_path / "was run").exists()
    assert done.returncode == 0, done.stdout + done.stderr


def test_leaving_stops_what_still_runs(tmp_path):
    flag = tmp_path / "flag"
    with pool(workers=1) as workers:
        workers.submit(planted.spec("hangs", flag=str(flag)))
        worker = psutil.Process(planted.wait_for(flag))
    assert not worker.is_running()


def test_workers_do_not_outlive_a_driver_that_is_killed(tmp_path):
    flag = tmp_path / "flag"
    program = tmp_path / "driver.py"
    program.write_text(DRIVER)
    driver = subprocess.Popen([sys.executable, program, CHECKOUT, flag])
    worker = psutil.Process(planted.wait_for(flag))
    family = psutil.Process(driver.pid).children(recursive=True)
    assert worker in family
    driver.kill()
    driver.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.execution import planted
from bench.execution.pool import Pool

if __name__ == "__main__":
    with Pool(planted.WORK, workers=1, timeout=None) as pool:
        planted.all_records(pool, [planted.spec("hangs", flag=sys.argv[2])])
"""

BLOCKED = """
import signal
from tests.execution import planted
from bench.execution.pool import Pool

with Pool(planted.WORK, workers=1, timeout=None) as pool:
    (record,) = planted.all_records(pool, [planted.spec("fine")])
in_worker = bool(record.curves["interrupts are blocked"][0])
in_driver = signal.SIGINT in signal.pthread_sigmask(0, ())
print(f"worker {in_worker}, driver {in_driver}")
"""
