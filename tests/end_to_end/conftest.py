"""The commands as one types them: a process of their own, in a folder that was empty."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

Bench: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-m", "bench"]
SMALL = (
    "task=adding",
    "architecture=rnn_tanh",
    "mitigation=[none,clip_norm]",
    "length=10",
    "hidden_size=8",
    "steps=20",
    "task.adding.evaluation_size=100",
    "seeds=2",
    "results=store",
    "executor.workers=1",
)
"""Four runs of some milliseconds each."""


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Bench:
    """Runs `bench ARGUMENTS` in tmp_path and waits for its end."""
    monkeypatch.chdir(tmp_path)

    def run(
        *arguments: str, expect: int = 0, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            timeout=200,
            env=os.environ | (variables or {}),
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """What SMALL leaves behind, to be copied: a folder with `store` in it."""
    folder = tmp_path_factory.mktemp("finished")
    done = subprocess.run([*COMMAND, "run", *SMALL], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def connect(folder: Path) -> sqlite3.Connection:
    """Never makes the file: that is the driver's to do."""
    return sqlite3.connect(f"{(folder / 'results.sqlite').as_uri()}?mode=rw", uri=True)


def stored(folder: Path) -> dict[str, tuple[str, str, str, str]]:
    """Run id -> (mitigation, outcome, digest, when it was stored)."""
    query = "SELECT run_id, mitigation, outcome, record_digest, stored_at FROM runs"
    with closing(connect(folder)) as connection:
        return {run_id: tuple(rest) for run_id, *rest in connection.execute(query)}
