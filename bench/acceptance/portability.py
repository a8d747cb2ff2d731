"""Whether a member's runs have the same bits on another processor, as far as this one can pose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bench import plugins
from bench.acceptance.findings import demand
from bench.kernels import levels
from bench.records import RunSpec

OLDEST: Mapping[str, str] = {
    levels.VARIABLE: "scalar",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
    "OMP_NUM_THREADS": "1",
}
"""What makes the libraries take a new x86-64 processor for one of 2008."""


def same_bits(specs: Sequence[RunSpec], portable: bool) -> str:
    """Runs `specs` here and as the oldest processor would; a member that is not `portable` may
    differ, which is told."""
    if levels.why_torch():
        return "not judged: without a C compiler bits differ between processors"
    here, there = digests(specs, {}), digests(specs, OLDEST)
    differing = [
        f"{spec.architecture.name} on {spec.task.name}"
        for spec, one, other in zip(specs, here, there, strict=True)
        if one != other
    ]
    demand(not (portable and differing), f"says it is portable; differs: {', '.join(differing)}")
    if not portable:
        return f"not portable; {len(differing)} of {len(specs)} runs differ here"
    return f"the same bits in {len(specs)} runs"


def digests(specs: Sequence[RunSpec], environment: Mapping[str, str]) -> list[str]:
    """The record digests of `specs`, run in a process of its own."""
    asked = {"files": list(map(str, plugins.files())), "specs": [s.to_json() for s in specs]}
    done = subprocess.run(  # noqa: S603 (this program, with specifications of ours)
        [sys.executable, "-P", "-c", _PROGRAM],
        input=json.dumps(asked),
        env=os.environ | dict(environment) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    demand(done.returncode == 0, f"cannot be run: {(done.stderr.strip() or '?').splitlines()[-1]}")
    found: list[str] = json.loads(done.stdout)
    return found


_PROGRAM = """
import json, sys
from pathlib import Path
from bench import plugins
from bench.records import RunSpec
from bench.training.run import run
asked = json.load(sys.stdin)
plugins.name_files(map(Path, asked["files"]))
print(json.dumps([run(RunSpec.from_json(text)).digest for text in asked["specs"]]))
"""
