"""The mirror to Weights & Biases, with the real client, real processes and a server on loopback."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up_runs as made_up
import numpy as np
import psutil
import pytest
from wandb_server import KEY, WandbServer, serving

from bench.records import BadInput, RunRecord
from bench.results import mirroring
from bench.results.checking import check
from bench.results.ledger import Ledger
from bench.results.mirror_target import target
from bench.results.store import Store

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def nobodys_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, and a home that goes when the test goes."""
    for name in list(os.environ):
        if name.startswith("WANDB_") or name == "NETRC":
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    with serving() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of three runs: a plain one, a diverged one, one that failed."""
    folder = tmp_path / "the results"
    put(folder, made_up.record(made_up.spec(0), solved_step=90))
    put(folder, made_up.diverged(made_up.spec(1, threshold=math.inf)))
    put(folder, made_up.failed(made_up.spec(2)))
    return folder


def put(folder: Path, record: RunRecord) -> None:
    with Store.open(folder) as store:
        result = record.outcome.is_result
        store.put(record, made_up.provenance(record.spec) if result else {})


def put_many(folder: Path, count: int) -> None:
    with Store.open(folder) as store:
        for seed in range(count):
            spec = made_up.spec(seed)
            store.put(made_up.record(spec, rows=40), made_up.provenance(spec))


def records(folder: Path) -> dict[str, RunRecord]:
    with Store(folder) as store:
        return {
            run.run_id: replace(
                run.record, curves=dict(run.record.curves), flow=dict(run.record.flow)
            )
            for run in store.rows()
        }


def offline_runs(folder: Path) -> list[str]:
    """The run ids of the offline files, with repetitions if there are any."""
    return sorted(path.name.split("-")[3] for path in (folder / "wandb").glob("offline-run-*"))


def mirrored_offline(folder: Path) -> list[str]:
    """The run ids of which the ledger says that they are."""
    ledger = Ledger(folder)
    try:
        return sorted(ledger.mirrored(target("offline").key))
    finally:
        ledger.close()


def assert_kept(server: WandbServer, stored: dict[str, RunRecord]) -> None:
    """The server has exactly these runs, and every number of them exactly once."""
    assert set(server.runs) == set(stored)
    for run_id, record in stored.items():
        kept, spec = server.runs[run_id], record.spec
        assert kept.group == spec.cell_id
        assert kept.name == f"adding/rnn_tanh/clip_norm/sgd seed {spec.seed}"
        config = {name: entry["value"] for name, entry in kept.config.items() if name != "_wandb"}
        assert config["task.length"] == 100
        assert config["optimizer.lr"] == 0.1
        assert config["mitigation.clip_norm.threshold"] == spec.mitigation[0].settings["threshold"]
        assert config["seed"] == spec.seed
        assert kept.exit_code == (0 if record.outcome.is_result else 1)
        assert [row["_step"] for row in kept.history] == list(range(len(kept.history)))
        assert len(kept.history) == len(record.curves.get("step", []))
        for name, column in record.curves.items():
            np.testing.assert_array_equal([row[name] for row in kept.history], column)
        assert kept.summary["outcome"] == record.outcome.value
        assert kept.summary["record_digest"] == record.digest
        assert kept.summary.get("solved_step") == record.solved_step
        for name, value in record.scores.items():
            expected = "NaN" if math.isnan(value) else value
            assert kept.summary[f"scores.{name}"] == expected
        event = record.first_event
        assert kept.summary.get("first_event.tensor") == (event.tensor if event else None)


def mirror_process(folder: Path) -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process().children()
        if "bench.results.wandb_mirror" in child.cmdline() and str(folder) in child.cmdline()
    ]
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Within the time limit of the test."""
    while not holds():
        time.sleep(0.02)


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
    subprocess.run(command, shell=True, check=True, env=os.environ | {"PATH": path})
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
        "import made_up_runs as made_up\n"
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
    command = [sys.executable, "-c", script, str(HERE), str(tmp_path / "store")]
    driver = subprocess.run(command, capture_output=True, text=True)
    assert driver.returncode == -signal.SIGKILL
    wait_until(lambda: not _is_running(int(driver.stdout)))
    assert len(offline_runs(tmp_path / "store")) == 12
    assert check(tmp_path / "store").findings == ()


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_mirror_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    put_many(folder, 40)
    before = (folder / "results.sqlite").read_bytes()
    mirror = mirroring.start(folder, "offline")
    wait_until(lambda: len(mirrored_offline(folder)) > 0)
    process = mirror_process(folder)
    helpers = process.children(recursive=True)
    process.kill()
    report = mirror.finish()
    assert 0 < report.mirrored < 40
    assert report.mirrored + report.missing == 40
    assert str(report).endswith(f"mirror them with: bench sync {folder}")
    assert (folder / "results.sqlite").read_bytes() == before
    assert mirroring.sync(folder, "offline").missing == 0
    assert offline_runs(folder) == sorted(records(folder))
    psutil.wait_procs(helpers)  # W&B's own process ends with it


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


def test_only_one_mirror_works_on_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    put(folder, made_up.record())
    mirror = mirroring.start(folder, "offline")
    wait_until(lambda: len(mirrored_offline(folder)) == 1)
    # Stopped in its tracks, the first mirror still holds the lock.
    process = mirror_process(folder)
    process.suspend()
    try:
        put(folder, made_up.record(made_up.spec(1)))
        report = mirroring.sync(folder, "offline")
    finally:
        process.resume()
    assert report.missing == 1
    assert "another mirror of these results is at work" in str(report)
    assert mirror.finish().missing == 0


def assert_harmless(folder: Path, told: str, mode: str = "online") -> None:
    """The driver stores on, is told why nothing was mirrored, and is not held up."""
    mirror = mirroring.start(folder, mode)
    put(folder, made_up.record(made_up.spec(7)))
    report = mirror.finish()
    assert (report.mirrored, report.missing) == (0, 4)
    assert told in str(report)
    assert "\n" not in str(report)
    assert check(folder).findings == ()
    assert made_up.spec(7).run_id in records(folder)


def test_without_wandb(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = tmp_path / "stub" / "wandb"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ImportError('No module named wandb')")
    monkeypatch.setenv("PYTHONPATH", str(stub.parent))
    report = mirroring.sync(folder, "offline")
    assert report.missing == 3
    assert "(wandb cannot be used: No module named wandb)" in str(report)
    assert_harmless(folder, "4 missing", mode="offline")


def test_without_an_account(
    server: WandbServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    report = mirroring.sync(folder, "online")
    assert report.missing == 3
    assert "No API key configured" in str(report)


def test_a_server_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        report = mirroring.sync(folder, "online")
        assert report.missing == 3
        assert "does not answer: [Errno 111] Connection refused" in str(report)


def test_a_server_that_never_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        mirror = mirroring.start(folder, "online")
        connection, _ = silent.accept()  # the mirror asks, and now waits
        process = mirror_process(folder)
        report = mirror.finish()
        assert report.missing == 3
        assert process.is_running()  # nobody waited for it
        assert process.status() != psutil.STATUS_ZOMBIE
        connection.close()
        process.wait()
    assert check(folder).findings == ()


@pytest.mark.parametrize(("status", "told"), [(400, "400 Bad Request"), (500, "TimeoutError")])
def test_data_that_the_server_refuses_is_still_missing(
    server: WandbServer, folder: Path, status: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wandb prints a warning and goes on; the mirror must not take that for success."""
    monkeypatch.setenv("WANDB_FINISH_TIMEOUT", "1")
    server.refuse = status
    report = mirroring.sync(folder, "online")
    assert (report.mirrored, report.missing) == (0, 3)
    assert told in str(report)
    if status == 400:
        server.refuse = None
        assert mirroring.sync(folder, "online").missing == 0
        assert_kept(server, records(folder))


def test_a_wandb_folder_that_cannot_be_one(folder: Path) -> None:
    (folder / "wandb").write_text("x")
    assert_harmless(folder, f"(no mirror in {folder / 'wandb'}: File exists)", mode="offline")
    with pytest.raises(BadInput, match=r"wandb: cannot be written to: File exists$"):
        mirroring.sync(folder, "offline")


READ_ONLY = """
import os, sys
from pathlib import Path
from bench.records import BadInput
from bench.results import mirroring
if os.geteuid() == 0:  # whom no permission stops
    os.setgid(65534), os.setuid(65534)
print(mirroring.start(Path(sys.argv[1]), "offline").finish())
try:
    mirroring.sync(Path(sys.argv[1]), "offline")
except BadInput as error:
    print(error)
"""


def test_a_wandb_folder_that_may_only_be_read() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        put(folder, made_up.record())
        folder.chmod(0o777)
        (folder / "results.sqlite").chmod(0o666)
        (folder / "wandb").mkdir(mode=0o555)
        command = [sys.executable, "-c", READ_ONLY, name]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert [line.split(":")[0] for line in output.splitlines()] == [
            "W&B (offline)",
            f"{folder / 'wandb'}",
        ]
        assert f"0 of 1 runs mirrored; 1 missing (no mirror in {folder / 'wandb'}: " in output
        assert "cannot be written to" in output


def test_a_wrong_mode_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in (mirroring.start, mirroring.sync):
        with pytest.raises(BadInput, match=r"^logger\.mode=onlin: .* \(did you mean online\?\)$"):
            call(folder, "onlin")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(BadInput, match=r"^WANDB_MODE=disabled: "):
        mirroring.start(folder)
    with pytest.raises(BadInput, match="holds no"):
        mirroring.sync(folder / "nothing", "offline")


def test_the_usual_mode_is_online_where_there_is_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target().mode == "offline"
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert target().mode == "online"
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert target().mode == "offline"
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.delenv("WANDB_API_KEY")
    for name in (".netrc", "elsewhere"):
        (tmp_path / "home" / name).write_text(f"machine api.wandb.ai login user password {KEY}\n")
        assert target().mode == "online"
        # An account on another server is none on this one.
        monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
        assert target().mode == "offline"
        monkeypatch.delenv("WANDB_BASE_URL")
        (tmp_path / "home" / ".netrc").unlink(missing_ok=True)
        monkeypatch.delenv("NETRC", raising=False)
        assert target().mode == "offline"
        monkeypatch.setenv("NETRC", str(tmp_path / "home" / "elsewhere"))
    (tmp_path / "home" / "elsewhere").write_text("machine wandb.example.org password x\n")
    settings = tmp_path / "home" / ".config" / "wandb" / "settings"
    settings.parent.mkdir(parents=True)
    settings.write_text("[default]\nbase_url = https://wandb.example.org\n")
    assert target().mode == "online"
    settings.write_bytes(b"\xff nonsense")
    (tmp_path / "home" / "elsewhere").write_text("nonsense")
    assert target().mode == "offline"


def test_every_place_has_its_own_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [target("offline").key, target("online").key, target("online", "other").key]
    monkeypatch.setenv("WANDB_PROJECT", "other")
    assert target("online").key == keys[-1]
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    keys.append(target("online").key)
    monkeypatch.setenv("WANDB_ENTITY", "team")
    keys.append(target("online").key)
    assert len(set(keys)) == len(keys)
