"""Where runs are mirrored to, as wandb itself would say."""

from __future__ import annotations

import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from bench.records import BadInput
from bench.results import mirror_target
from bench.results.mirror_target import SERVER, server, target
from tests.results.wandb_server import KEY

pytestmark = pytest.mark.usefixtures("nobodys_environment")

ELSEWHERE = "https://wandb.example.org"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """wandb reads ./wandb/settings."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_server_is_the_one_that_wandb_takes() -> None:
    """In a process of its own, since importing wandb leaves much behind."""
    code = "from wandb.sdk.lib import urls; print(urls.DEFAULT_BASE_URL, *urls.FORGE_HOSTS.items())"
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert told.split()[0] == SERVER == server()
    assert f"('{SERVER.removeprefix('https://api.')}', 'api.wandb.ai')" in told
    assert mirror_target._OLD_SERVER == "https://api.wandb.ai"


def test_the_usual_mode_is_online_where_there_is_an_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert target().mode == "offline"
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert target().mode == "online"
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert target().mode == "offline"
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("WANDB_API_KEY", "")
    assert target().mode == "offline"


@pytest.mark.parametrize("host", [SERVER.removeprefix("https://"), "api.wandb.ai"])
@pytest.mark.parametrize("name", [".netrc", "_netrc", "elsewhere"])
def test_a_login_is_found_under_either_name_of_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    file = tmp_path / "home" / name
    write(file, f"machine {host} login user password {KEY}\n")
    if name == "elsewhere":
        assert target().mode == "offline"
        monkeypatch.setenv("NETRC", str(file))
    assert target().mode == "online"
    # An account on another server is none on this one.
    monkeypatch.setenv("WANDB_BASE_URL", ELSEWHERE)
    assert target().mode == "offline"
    monkeypatch.delenv("WANDB_BASE_URL")
    # Of several files wandb looks into the first alone.
    monkeypatch.delenv("NETRC", raising=False)
    write(tmp_path / "home" / ".netrc", "machine example.org login user password x\n")
    assert target().mode == "offline"


@pytest.mark.parametrize("where", ["home/.config/wandb", "configured", "here/wandb"])
def test_a_file_may_name_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    write(tmp_path / "home" / ".netrc", f"machine wandb.example.org password {KEY}\n")
    if where == "configured":
        monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "configured"))
    assert (server(), target().mode) == (SERVER, "offline")
    write(tmp_path / where / "settings", f"[default]\nbase_url = {ELSEWHERE}/\n")
    assert (server(), target().mode) == (ELSEWHERE, "online")
    monkeypatch.setenv("WANDB_BASE_URL", "https://other.example.org")
    assert (server(), target().mode) == ("https://other.example.org", "offline")
    monkeypatch.setenv("WANDB_BASE_URL", "")
    write(tmp_path / where / "settings", f"[default]\napi_key = {KEY}\n")
    assert (server(), target().mode) == (SERVER, "online")


def test_files_that_hold_nonsense_say_nothing(tmp_path: Path) -> None:
    for name in (".netrc", ".config/wandb/settings"):
        write(tmp_path / "home" / name, "")
        (tmp_path / "home" / name).write_bytes(b"\xff nonsense")
    assert (server(), target().mode) == (SERVER, "offline")


def test_a_user_without_name_or_home_has_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.delenv("HOME")
    assert target().mode == "offline"


@pytest.mark.parametrize("mode", ["disabled", "shared", "onlin", "OFFLINE"])
def test_an_environment_that_cannot_be_used_mirrors_nothing(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    found = target()
    assert found.mode is None
    assert found.reason is not None
    assert found.reason.startswith(f"WANDB_MODE={mode}: must be one of offline, online")
    # What is asked of this project goes before it.
    assert target("offline").mode == "offline"


def test_an_empty_mode_in_the_environment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "")
    assert target().mode == "offline"


@pytest.mark.parametrize("mode", ["disabled", "onlin", ""])
def test_a_mode_that_was_typed_is_refused(mode: str) -> None:
    with pytest.raises(BadInput, match=rf"^logger\.mode={mode}: must be one of offline, online"):
        target(mode)


def test_every_place_has_its_own_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [target("offline").key, target("online").key, target("online", "other").key]
    monkeypatch.setenv("WANDB_PROJECT", "other")
    assert target("online").key == keys[-1]
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    keys.append(target("online").key)
    monkeypatch.setenv("WANDB_ENTITY", "team")
    keys.append(target("online").key)
    assert len(set(keys)) == len(keys)


def test_the_cloud_is_one_place_under_both_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    key = target("online").key
    monkeypatch.setenv("WANDB_BASE_URL", "https://api.wandb.ai/")
    assert target("online").key == key
