"""The mirror to Weights & Biases: with the real client, real processes, a server on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import mirroring
from bench.results.checking import check
from tests.results import made_up_runs as made_up
from tests.results.mirrored import (
    assert_kept,
    is_running,
    mirror_process,
    mirrored_offline,
    offline_runs,
    put,
    put_many,
    records,
    wait_until,
)
from tests.results.wandb_server import WandbServer

pytestmark = pytest.mark.usefixtures("nobodys_environment")


ROOT = Path(__file__).parents[2]


def test_online_sends_every_number_of_every_run_once(server: WandbServer, folder: Path) -> None:
    report = mirroring.sync(folder, "online")
    assert (report.mirrored, report.missing) == (3, 0)
    assert str(report) == "W&B (online): 3 of 3 runs mirrored"
    assert_kept(server, records(folder))
    # `step` is the x axis of every chart.
    metrics = server.runs[made_up.spec(0).run_id].config["_wandb"]["value"]["m"]
    assert [metric.get("1") or metric.get("2") for metric in metrics] == ["step", "*"]
    assert metrics[1]["5"] == 1
    # Twice is once: the second time nobody is asked anything.
    before = server.num_requests
    assert mirroring.sync(folder, "online") == report
    assert server.num_requests == before
    # A run that was run again is the same run, with other numbers.
    put(folder, made_up.record(made_up.spec(0), rows=7, final=0.125))
    assert mirroring.sync(folder, "online").missing == 0
    assert_kept(server, records(folder))
    assert offline_runs(folder) == []
    assert sorted(path.name for path in (folder / "wandb").iterdir()) == [
        "mirror.lock",
        "mirror.log",
        "mirror.sqlite",
    ]


def test_offline_then_the_vendors_own_upload(server: WandbServer, folder: Path) -> None:
    report = mirroring.sync(folder, "offline")
    assert (report.mirrored, report.missing) == (3, 0)
    assert server.num_requests == 0
    _, command = str(report).split("upload them with: ")
    put(folder, made_up.record(made_up.spec(0), rows=7, final=0.125))
    assert mirroring.sync(folder, "offline").missing == 0
    assert offline_runs(folder) == sorted(records(folder))
    before = sorted((folder / "wandb").rglob("*"))
    mirroring.sync(folder, "offline")
    assert sorted((folder / "wandb").rglob("*")) == before
    # The command is used as it is told, spaces in the folder's name and all.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(command, shell=True, check=True, env=os.environ | {"PATH": path}, cwd=folder)
    assert_kept(server, records(folder))


def test_online_sends_what_offline_had_kept_here(server: WandbServer, folder: Path) -> None:
    mirroring.sync(folder, "offline")
    put(folder, made_up.record(made_up.spec(5)))
    report = mirroring.sync(folder)  # there is an account: online
    assert (report.mirrored, report.missing) == (4, 0)
    assert_kept(server, records(folder))
    # What was kept here stays.
    assert len(offline_runs(folder)) == 3


def test_a_mirror_follows_the_driver(tmp_path: Path) -> None:
    put(tmp_path / "store", made_up.record(made_up.spec(0)))
    mirror = mirroring.start(tmp_path / "store", "offline")
    wait_until(lambda: len(offline_runs(tmp_path / "store")) == 1)
    for seed in range(1, 12):
        put(tmp_path / "store", made_up.record(made_up.spec(seed)))
    process = mirror_process(tmp_path / "store")
    report = mirror.finish()
    assert (report.mirrored, report.missing) == (12, 0)
    assert "\n" not in str(report)
    process.wait()
    assert len(offline_runs(tmp_path / "store")) == 12


def test_a_driver_that_is_killed_leaves_a_mirror_that_ends_its_work(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.results import made_up_runs as made_up\n"
        "from pathlib import Path\n"
        "from bench.results import mirroring\n"
        "from bench.results.store import Store\n"
        "with Store.open(sys.argv[2]) as store:\n"
        "    mirror = mirroring.start(Path(sys.argv[2]), 'offline')\n"
        "    for seed in range(12):\n"
        "        spec = made_up.spec(seed)\n"
        "        store.put(made_up.record(spec), made_up.provenance(spec))\n"
        "    print(mirror._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(tmp_path / "store")]
    driver = subprocess.run(command, capture_output=True, text=True)
    assert driver.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(int(driver.stdout)))
    assert len(offline_runs(tmp_path / "store")) == 12
    assert check(tmp_path / "store").findings == ()


def test_a_mirror_told_to_stop_ends_with_the_run_in_hand(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    put_many(folder, 200)
    command = [sys.executable, "-m", "bench.results.wandb_mirror", str(folder), "--mode", "offline"]
    with subprocess.Popen(command) as process:
        wait_until(lambda: len(mirrored_offline(folder)) > 0)
        process.terminate()
        assert process.wait() == 0
    assert 0 < len(mirrored_offline(folder)) < 200
    assert mirrored_offline(folder) == offline_runs(folder)
