"""Whatever W&B's variables say and whatever lies in the current folder, results are made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import mirroring
from bench.results.mirroring import MirrorReport
from tests.results import made_up_runs as made_up
from tests.results.mirrored import offline_runs, put, records
from tests.results.wandb_server import KEY, WandbServer

pytestmark = pytest.mark.usefixtures("nobodys_environment")

PASSWORD = "canary%2Fpassword"  # canary/password, as an address writes it


def started_and_finished(folder: Path) -> MirrorReport:
    return mirroring.start(folder).finish()


@pytest.mark.parametrize("mode", ["disabled", "shared", "onlin"])
@pytest.mark.parametrize("call", [started_and_finished, mirroring.state, mirroring.sync])
def test_a_mode_that_cannot_be_used_mirrors_nothing_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str, call: object
) -> None:
    assert callable(call)
    monkeypatch.setenv("WANDB_MODE", mode)
    report = call(folder)
    hint = " (did you mean online?)" if mode == "onlin" else ""
    assert str(report) == (
        "W&B (off): 0 of 3 runs mirrored; 3 missing "
        f"(WANDB_MODE={mode}: must be one of offline, online{hint}); "
        f"mirror them with: bench sync '{folder}' --mode offline"
    )
    assert not (folder / "wandb").exists()


def test_a_batch_runs_whatever_the_mode(tmp_path: Path) -> None:
    one = ["task=adding", "architecture=rnn_tanh", "mitigation=none", "length=10", "steps=20"]
    command = [sys.executable, "-m", "bench", "run", *one, "seeds=1", "results=store"]
    command += ["logger=wandb"]
    environment = os.environ | {"WANDB_MODE": "disabled"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(records(tmp_path / "store")) == 1
    assert "W&B (off): 0 of 1 runs mirrored" in done.stdout


def test_a_mode_that_was_asked_for_goes_before_that_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert mirroring.sync(folder, "offline").missing == 0
    assert offline_runs(folder) == sorted(records(folder))


def test_empty_variables_are_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wandb itself refuses an empty mode, and takes an empty address for one."""
    for name in ("MODE", "BASE_URL", "PROJECT", "ENTITY", "API_KEY", "SILENT", "INIT_TIMEOUT"):
        monkeypatch.setenv(f"WANDB_{name}", "")
    assert mirroring.sync(folder).missing == 0
    assert offline_runs(folder) == sorted(records(folder))


def test_a_variable_that_wandb_refuses_is_told_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "soon")
    report = mirroring.sync(folder, "offline")
    assert report.missing == 3
    assert "wandb cannot be used: 1 validation error for Settings init_timeout" in str(report)
    assert "\n" not in str(report)


def test_no_file_of_the_current_folder_is_run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("wandb", "torch", "numpy", "json", "sqlite3", "sitecustomize"):
        (planted / f"{name}.py").write_text(f"open({str(planted / 'was run')!r}, 'w').close()\n")
    monkeypatch.chdir(planted)
    assert mirroring.sync(folder, "offline").missing == 0
    assert not (planted / "was run").exists()


@pytest.mark.parametrize("refuses", [True, False])
def test_a_password_in_the_address_is_kept_nowhere(
    tmp_path: Path,
    server: WandbServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    refuses: bool,
) -> None:
    told = server.url.replace("://", f"://canary:{PASSWORD}@")
    monkeypatch.setenv("WANDB_BASE_URL", told)
    server.refuse = 400 if refuses else None
    texts = [str(mirroring.sync(folder, "online"))]
    assert len(server.runs) == 3
    put(folder, made_up.record(made_up.spec(9)))
    for address in (f"http://canary:{PASSWORD}@127.0.0.1:9", f"nonsense://canary:{PASSWORD}@host"):
        monkeypatch.setenv("WANDB_BASE_URL", address)
        texts.append(str(mirroring.sync(folder, "online")))
        assert "missing (" in texts[-1]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert folder / "wandb" / "mirror.log" in files
    content = "".join(texts).encode() + b"".join(path.read_bytes() for path in files)
    for secret in (PASSWORD, "canary/password", KEY):
        assert secret.encode() not in content
