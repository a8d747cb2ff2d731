"""What is installed, what this machine is, and what is missing for each feature."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bench
from bench import datasets, discovery, plugins
from bench.execution.cores import available_cores
from bench.kernels import compiler, levels
from bench.machine import available_memory
from bench.records import BadInput, RunSpec
from bench.results.mirror_target import target

DISTRIBUTION = "exploding-gradient-benchmark"
LEAST_PYTHON = (3, 11)
GIB = 2**30
OPTIONAL = ("wandb",)
"""Dependencies without which everything else works."""


@dataclass(frozen=True)
class Finding:
    """One line. A remedy says that something is missing; `required`, that a run needs it."""

    topic: str
    state: str
    remedy: str = ""
    required: bool = True

    @property
    def is_fatal(self) -> bool:
        return bool(self.remedy) and self.required


def examine(results: Path) -> Iterator[Finding]:
    """Looks at everything; `results` is the folder that stores are made in."""
    yield Finding("bench", f"version {bench.__version__}")
    yield _python()
    yield from _packages()
    yield _cores()
    yield _memory()
    yield _compiler()
    yield _wandb()
    yield _latex()
    yield from map(_data_set, datasets.IMAGES)
    yield from _plugins()
    if _is_anywhere():
        yield from _engine()
        yield _folder(results)
    else:
        yield Finding("folder", "the current one has been removed", "cd to another")


def _data_set(name: str) -> Finding:
    problem = datasets.problem(name)
    if not problem:
        return Finding(name, f"data set, digest {datasets.digest(name)[:16]}")
    state, _, remedy = problem.rpartition("; ")
    return Finding(name, state, remedy, required=False)


def _plugins() -> Iterator[Finding]:
    """What stops nobody but who asks for it."""
    remedy = "mend or uninstall it, if you mean to use it"
    broken = [why for kind in discovery.KINDS for why in discovery.unreadable(kind).values()]
    for problem in (*plugins.orphans(), *broken):
        yield Finding("members", problem, remedy, required=False)


def examine_store(folder: Path) -> Iterator[Finding]:
    """Reads all of a store, or of a folder of packed ones; raises BadInput where there is none."""
    from bench.results.opening import stores_in

    for place in stores_in(folder):
        yield from _store(place)


def _store(folder: Path) -> Iterator[Finding]:
    from bench.results.checking import check

    found = check(folder)
    counts = [f"{number} {status}" for status, number in sorted(found.counts.items())]
    state = f"{folder}: {', '.join(counts) or 'no'} runs, {found.superseded} replaced"
    if found.without_tables:
        state += f"; {found.without_tables} runs without their curves: digests not checked"
    yield Finding("store", state)
    for finding in found.findings:
        place = f"run {finding.run_id}" if finding.run_id else str(folder)
        yield Finding(
            "damage",
            f"{place}: {finding.problem}",
            "restore it from a copy, or run it again elsewhere",
        )


def in_words(finding: Finding) -> str:
    mark = "ok" if not finding.remedy else "MISSING" if finding.required else "without"
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{mark:<8} {finding.topic:<11} {finding.state}{remedy}"


def _python() -> Finding:
    least = ".".join(map(str, LEAST_PYTHON))
    remedy = "" if sys.version_info >= LEAST_PYTHON else f"install Python {least} or later"
    return Finding("python", platform.python_version(), remedy)


def _packages() -> Iterator[Finding]:
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding("packages", "bench is not installed", "pip install -e .")
        return
    versions = []
    for requirement in requirements:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            remedy = f"pip install '{requirement}'"
            yield Finding("packages", f"no {name}", remedy, required=name not in OPTIONAL)
    yield Finding("packages", ", ".join(versions))


def _cores() -> Finding:
    cores = available_cores()
    return Finding("cores", f"{cores} of {os.cpu_count() or cores}: {cores} runs at a time")


def _memory() -> Finding:
    available = available_memory()
    if available is None:
        return Finding("memory", "how much is free is not known")
    return Finding("memory", f"{available / GIB:.1f} GiB can be had")


def _engine() -> Iterator[Finding]:
    """What the provenance of a run would say, had it been started now."""
    try:
        from bench.results.provenance import collect

        facts = collect(_any_run())
    except (ImportError, OSError) as error:  # a library of torch's that cannot be loaded
        yield Finding(
            "torch", f"cannot be imported: {error}", "pip install --force-reinstall torch"
        )
        return
    except BadInput as error:
        yield Finding("members", str(error), "mend or remove that file")
        return
    yield Finding("processor", f"{facts['cpu_model']}, instructions {facts['cpu_capability']}")
    yield Finding("kernels", f"{facts['kernels']}; BLAS {', '.join(facts['blas'])}")
    if facts["git_commit"]:
        changes = "with changes" if facts["git_dirty"] else "clean"
        yield Finding("git", f"{facts['git_commit'][:12]}, {changes}")


def _any_run() -> RunSpec:
    from bench.planning import plan

    return plan([f"task={next(iter(discovery.members('task')))}", "seeds=1"]).runs[0]


def _compiler() -> Finding:
    if reason := levels.why_torch():
        remedy = "mend that: PyTorch's kernels are slower, and their bits depend on the processor"
        return Finding("C compiler", reason, remedy, required=False)
    return Finding("C compiler", compiler.compiler_version())


def _wandb() -> Finding:
    topic = "wandb"
    if not _is_installed("wandb"):
        return Finding(
            topic, "not installed", "pip install wandb, for logger=wandb", required=False
        )
    found = target()
    if found.mode is None:
        remedy = "unset WANDB_MODE, for logger=wandb, which mirrors nothing so"
        return Finding(topic, found.reason or "off", remedy, required=False)
    if found.mode == "online":
        return Finding(topic, "there are credentials: logger=wandb mirrors online")
    remedy = "wandb login, for logger.mode=online; logger=wandb mirrors offline"
    return Finding(topic, "no credentials", remedy, required=False)


def _latex() -> Finding:
    latexmk = shutil.which("latexmk")
    if latexmk is None or shutil.which("pdflatex") is None:
        remedy = (
            "apt-get install latexmk texlive-latex-recommended texlive-fonts-recommended lmodern, "
            "for the paper"
        )
        return Finding("LaTeX", "none", remedy, required=False)
    return Finding("LaTeX", _first_line(latexmk, "--version"))


def _is_anywhere() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _folder(results: Path) -> Finding:
    existing = results.absolute()
    try:
        while not existing.exists():
            existing = existing.parent
        can_be_written_to = existing.is_dir() and os.access(existing, os.W_OK)
        free = shutil.disk_usage(existing).free / GIB
    except OSError:  # a folder on the way may not be looked into
        can_be_written_to = False
    if not can_be_written_to:
        return Finding("results", f"{existing} cannot be written to", "choose another: results=DIR")
    return Finding("results", f"{results} can be written to, {free:.1f} GiB free")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}, which does not answer: {error}"
    return next((line for line in done.stdout.splitlines() if line.strip()), command[0])
