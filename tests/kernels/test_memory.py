"""No kernel reads or writes beyond its arrays, does what C leaves undefined, or forgets memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.kernels import compiler, levels
from tests.kernels.arithmetic import COMPILED, needs_a_compiler

pytestmark = needs_a_compiler
HERE = Path(__file__).parents[2]


def script(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tests.kernels.{name}"],
        cwd=HERE,
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("level", COMPILED)
def test_arrays_are_left_at_neither_end(level: str) -> None:
    ran = script("guarded", **{levels.VARIABLE: level})
    assert ran.returncode == 0, ran.stdout.splitlines()[-1:] + ran.stderr.splitlines()[:3]
    assert ran.stdout.splitlines()[-1] == "all done"


def sanitizer() -> str | None:
    """The run-time library of the address sanitizer, if this compiler has one."""
    found = compiler.compiler()
    if found is None:
        return None
    answer = subprocess.run([found, "-print-file-name=libasan.so"], capture_output=True, text=True)
    path = answer.stdout.strip()
    return path if os.path.isabs(path) else None


@pytest.mark.skipif(sanitizer() is None, reason="the compiler has no address sanitizer")
def test_the_sanitizers_find_nothing() -> None:
    ran = script("sanitised", LD_PRELOAD=f"{sanitizer()}", ASAN_OPTIONS="detect_leaks=0")
    lines = [line for line in ran.stderr.splitlines() if "ERROR" in line or "runtime error" in line]
    assert ran.returncode == 0, lines + ran.stderr.splitlines()[-5:]
    assert ran.stdout.splitlines() == ["all done"]
