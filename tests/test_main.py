"""`python -m bench`, which Python starts with the current folder among the places of modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["json", "hydra", "yaml", "torch"])
def test_nothing_of_the_current_folder_is_run(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\nraise SystemExit(9)\n")
    command = [sys.executable, "-m", "bench", "run", "task=adding", "steps=3", "--dry-run"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "ran").exists()
