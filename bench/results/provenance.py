"""What a run was made with: collected by the worker that runs it, stored with its result.

Nothing in it says whose machine it was: no user or host name, no path, no environment value.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bench
from bench.kernels import levels
from bench.paths import CONF, PACKAGE
from bench.records import RunSpec
from bench.results.currency import digests_of

_SOURCES = {".py", ".c", ".h"}
_GIT_SECONDS = 10


def collect(spec: RunSpec) -> dict[str, Any]:
    """The fields of schema.PROVENANCE_FIELDS. To be called as the run starts, in its process."""
    return {
        **_machine(),
        **_torch(),
        **_git(),
        "suite_version": bench.__version__,
        "code_digest": _code_digest(),
        "member_digests": digests_of(spec.members),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "pandas": version("pandas"),
        "hydra": version("hydra-core"),
        "kernels": levels.in_words(),
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


@cache
def _code_digest() -> str:
    """SHA-256 over the suite's own files: the same in a checkout and in a wheel."""
    inside = CONF.is_relative_to(PACKAGE)
    files = {
        f"bench/{path.relative_to(PACKAGE).as_posix()}": path
        for path in PACKAGE.rglob("*")
        if path.suffix in _SOURCES and not (inside and path.is_relative_to(CONF))
    }
    files |= {f"conf/{path.relative_to(CONF).as_posix()}": path for path in CONF.rglob("*.yaml")}
    sha = hashlib.sha256()
    for name in sorted(files):
        sha.update(f"{name}\0{hashlib.sha256(files[name].read_bytes()).hexdigest()}\0".encode())
    return sha.hexdigest()


@cache
def _git() -> dict[str, Any]:
    """None for both outside a checkout of the suite, or where there is no git."""
    root = PACKAGE.parent
    top = _run_git(root, "rev-parse", "--show-toplevel")
    # An installed package may lie inside somebody else's repository.
    if top is None or Path(top).resolve() != root.resolve():
        return {"git_commit": None, "git_dirty": None}
    status = _run_git(root, "status", "--porcelain")
    return {
        "git_commit": _run_git(root, "rev-parse", "HEAD"),
        "git_dirty": None if status is None else bool(status),
    }


def _run_git(root: Path, *arguments: str) -> str | None:
    # GIT_DIR and its like would speak of another repository; a query is to leave the index alone.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=root,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@cache
def _machine() -> dict[str, Any]:
    return {
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu_model": cpu_model(),
        "cpu_cores": os.cpu_count(),
    }


def cpu_model() -> str:
    try:
        listed = Path("/proc/cpuinfo").read_text()
    except OSError:
        listed = ""
    found = re.search(r"^model name\s*: (.+)$", listed, re.M)
    return found[1] if found else platform.processor() or "unknown"


def _torch() -> dict[str, Any]:
    # Here, for no reader of a store is to import torch on account of this module.
    import torch

    return {
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "blas": _blas(torch.__config__.show()),
        # There is no getter: a denormal number times one says what the flag is.
        "flush_denormal": (torch.tensor(1e-40) * 1.0).item() == 0.0,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
    }


def _blas(torch_build: str) -> list[str]:
    """torch's own, which is linked into it, and those of the libraries that are loaded."""
    from threadpoolctl import threadpool_info

    build = re.search(r"BLAS_INFO=(\w+)", torch_build)
    mkl = re.search(r"Math Kernel Library Version ([\w.-]+)", torch_build)
    own = " ".join(["torch:", build[1] if build else "unknown", *([mkl[1]] if mkl else [])])
    loaded = {
        f"{info['internal_api']} {info['version']} {info.get('architecture', '')}"
        f" threads={info['num_threads']}"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    }
    return [own, *sorted(loaded)]
