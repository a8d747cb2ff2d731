from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import discovery
from tests.results import made_up_runs as made_up
from tests.results.mirrored import put
from tests.results.wandb_server import KEY, WandbServer, serving


@pytest.fixture
def member_files(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The member files of the made-up runs; call it to have some `edited` or `gone`."""

    def now(**changes: tuple[str, ...]) -> None:
        monkeypatch.setattr(discovery, "members", lambda kind: made_up.members(kind, **changes))

    now()
    return now


@pytest.fixture
def nobodys_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, and a home that goes when the test goes."""
    for name in list(os.environ):
        if name.startswith("WANDB_") or name == "NETRC":
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server(nobodys_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
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
