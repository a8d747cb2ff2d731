"""docs/add_a_mitigation.md, followed word for word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from bench.paths import PACKAGE

ROOT = PACKAGE.parent
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", (ROOT / "docs/add_a_mitigation.md").read_text(), re.M | re.S
)
FILES = {"python": "tempered.py", "yaml": "tempered.yaml"}
SHORT = """
from itertools import islice
from bench.acceptance import card, mitigations
from bench.acceptance.small import fitting
mitigations.fitting = lambda **given: islice(fitting(**given), 3)
card.same_bits = lambda runs, portable: "the same bits"
"""
"""For the member's own test, which repeats the battery that `bench check` has just been through: on
three architectures, and without the comparison of processors."""


def test_every_command_does_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHORT)
    said = "".join(_follow(kind, text, tmp_path) for kind, text in BLOCKS)
    assert [kind for kind, _ in BLOCKS] == ["bash", "python", "yaml", "bash", "bash", "bash"]
    assert "tempered may be compared" in said
    assert "FAILED" not in said
    assert "1 passed" in said
    assert "24 of 24 runs done" in said
    report = (tmp_path / "results/tempered/report/report.md").read_text()
    assert "tempered+clip_norm" in report
    assert "not counted" not in said


def _follow(kind: str, text: str, folder: Path) -> str:
    """What the commands of a block print; a block that is no command is the new text of a file."""
    if kind in FILES:
        (folder / FILES[kind]).write_text(text)
        return ""
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
