"""A run has the same bits on every processor: whatever the instruction set, libraries, threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.acceptance import portability
from bench.kernels import compiler, levels
from tests.golden_runs import GOLDEN, digests

pytestmark = [
    pytest.mark.skipif(
        platform.machine() != "x86_64", reason="these switches exist on x86-64 alone"
    ),
    pytest.mark.skipif(bool(levels.why_torch()), reason="without a C compiler bits differ"),
]

MACHINES: dict[str, dict[str, str]] = {
    **{f"kernels {level}": {levels.VARIABLE: level} for level in compiler.processor_levels()},
    "ATen default": {"ATEN_CPU_CAPABILITY": "default"},
    "ATen avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    # ATen takes the word for it, and dies of an illegal instruction where it is not so.
    **(
        {"ATen avx512": {"ATEN_CPU_CAPABILITY": "avx512"}}
        if "avx512" in compiler.processor_levels()
        else {}
    ),
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
    "OpenBLAS Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "OpenBLAS Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "glibc without FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
    "NumPy without AVX2": {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
}
OLDEST = {**portability.OLDEST, "OMP_NUM_THREADS": "2"}


def start(machine: Mapping[str, str], *sets: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.golden_runs", *sets],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ) | machine,
        stdout=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> dict[str, str]:
    lines, _ = process.communicate(timeout=1200)
    assert process.returncode == 0
    return {name: value for value, name in (line.split(" ", 1) for line in lines.splitlines())}


def test_golden_runs_and_every_portable_member_on_another_machine() -> None:
    """A digest that differs from GOLDEN here: raise SEMANTICS_VERSION, say why in CHANGELOG, and
    take the new ones from `python -m tests.golden_runs golden`."""
    oldest = start(OLDEST, "golden", "battery")
    here = digests("golden", "battery")
    assert {name: here[name] for name in GOLDEN} == GOLDEN
    assert printed(oldest) == here


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_member_in_both_types_on_every_machine() -> None:
    here = digests("every")
    assert len(here) > 100
    found = {name: printed(start(machine, "every")) for name, machine in MACHINES.items()}
    found["all at once"] = printed(start(OLDEST, "every"))
    differing = {
        name: [run for run, value in here.items() if value != there[run]]
        for name, there in found.items()
    }
    assert differing == {name: [] for name in found}
