"""The documents hold: every command in them can be planned, the template of a mitigation works."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.paths import PACKAGE
from bench.planning import plan

ROOT = PACKAGE.parent
COMMANDS = re.findall(r"^    bench run (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_readme_shows_how_to_run_a_grid() -> None:
    assert len(COMMANDS) >= 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_can_be_planned(command: str) -> None:
    assert plan(shlex.split(command)).runs


def test_every_file_that_the_readme_links_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_template_of_a_mitigation_runs(tmp_path: Path) -> None:
    python, yaml = re.findall(
        r"```(?:python|yaml)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL
    )
    for folder in ("bench", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "bench/mitigations/halve.py").write_text(python)
    (tmp_path / "conf/mitigation/halve.yaml").write_text(yaml)
    code = (
        "from bench.planning import plan; from bench.training.run import run\n"
        "one, half = (run(spec) for spec in plan(['task=adding', 'mitigation=none,halve',"
        " 'seeds=1', 'steps=3', 'length=10']).runs)\n"
        "print(half.curves['transformed_gradient_norm'][0] / one.curves['gradient_norm'][0])"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(found.stdout) == pytest.approx(0.5)
