"""Whatever befalls the mirror, the driver goes on and no result is changed or lost."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from bench.records import BadInput
from bench.results import mirroring
from bench.results.checking import check
from tests.results import made_up_runs as made_up
from tests.results.mirrored import (
    assert_kept,
    have_python_begin_with,
    mirror_process,
    mirrored_offline,
    offline_runs,
    put,
    put_many,
    records,
    wait_until,
)
from tests.results.wandb_server import KEY, WandbServer

pytestmark = pytest.mark.usefixtures("nobodys_environment")


HANGS_AFTER_THREE = """
import time
from bench.results.ledger import Ledger

noted, add = [], Ledger.add

def add_three(self, *run):
    if len(noted) == 3:
        time.sleep(600)
    noted.append(run)
    add(self, *run)

Ledger.add = add_three
"""


def test_a_killed_mirror_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the arrival of a run and the note of it, with more runs in hand."""
    folder = tmp_path / "store"
    put_many(folder, 12)
    before = (folder / "results.sqlite").read_bytes()
    have_python_begin_with(HANGS_AFTER_THREE, tmp_path, monkeypatch)
    mirror = mirroring.start(folder, "offline")
    monkeypatch.delenv("PYTHONPATH")
    wait_until(lambda: len(mirrored_offline(folder)) == 3)
    wait_until(lambda: len(offline_runs(folder)) > 3)
    process = mirror_process(folder)
    helpers = process.children(recursive=True)
    process.kill()
    report = mirror.finish()
    assert (report.mirrored, report.missing) == (3, 9)
    assert str(report).endswith(f"mirror them with: bench sync {folder}")
    assert (folder / "results.sqlite").read_bytes() == before
    assert mirroring.sync(folder, "offline").missing == 0
    assert offline_runs(folder) == sorted(records(folder))
    psutil.wait_procs(helpers)  # W&B's own process ends with it


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
    reason = f"{folder / 'wandb'}: File exists; make it a folder that you can write to"
    assert_harmless(folder, f"(no mirror: {reason})", mode="offline")
    assert reason in str(mirroring.state(folder, "offline"))
    with pytest.raises(BadInput, match=f"^{re.escape(reason)}$"):
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
        assert f"0 of 1 runs mirrored; 1 missing (no mirror: {folder / 'wandb'}: " in output
        assert output.count("make it a folder that you can write to") == 2


def test_a_wrong_mode_is_refused(folder: Path) -> None:
    for call in (mirroring.start, mirroring.sync):
        with pytest.raises(BadInput, match=r"^logger\.mode=onlin: .* \(did you mean online\?\)$"):
            call(folder, "onlin")
    with pytest.raises(BadInput, match="holds no"):
        mirroring.sync(folder / "nothing", "offline")
