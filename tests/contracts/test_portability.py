"""What calls itself portable gives the same bits on other processors and thread counts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.portable_bits import digests

MACHINES = [
    {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_CORETYPE": "Nehalem",
        "ATEN_CPU_CAPABILITY": "default",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
    },
    {
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "COMPATIBLE",
    },
]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these switches exist on x86-64 alone")
def test_portable_members_give_the_same_bits_on_other_machines() -> None:
    """Initial weights, optimisers, and the mitigations that say so."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.portable_bits"],
            cwd=Path(__file__).parents[2],
            env=dict(os.environ) | machine,
            stdout=subprocess.PIPE,
            text=True,
        )
        for machine in MACHINES
    ]
    expected = [f"{name} {value}" for name, value in digests().items()]
    for process in processes:
        printed, _ = process.communicate(timeout=120)
        assert printed.splitlines() == expected
