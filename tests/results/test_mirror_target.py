"""Where runs are mirrored to, as wandb itself would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.results.mirror_target import target
from tests.results.wandb_server import KEY

pytestmark = pytest.mark.usefixtures("nobodys_environment")


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
