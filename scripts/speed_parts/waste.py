"""What is spent beside the training itself: start-up, data, evaluation, storing, mirroring."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from rich.console import Console

from bench.execution.cores import available_cores
from bench.execution.local import execute
from bench.planning import plan
from bench.results.store import Store
from bench.training import run as training
from speed_parts.measuring import Measurement

CELLS = (
    ("adding", "rnn_tanh"),
    ("adding", "lstm"),
    ("temporal_order", "gru"),
    ("copy_memory", "rnn_tanh"),
    ("digits", "mlp"),
)


def shares(cells: Sequence[tuple[str, str]] = CELLS) -> Iterator[Measurement]:
    """Of a run at the members' defaults: data, and all that looks on, in units of the training."""
    for task, architecture in cells:
        spec = plan([f"task={task}", f"architecture={architecture}", "seeds=1"])
        spent: Counter[str] = Counter()
        with (
            _timed(training._Run, "_batch", "data", spent),
            _timed(training._Run, "_evaluate", "looking on", spent),
            _timed(training._Run, "_note", "looking on", spent),
        ):
            started = time.process_time()
            training.run(spec.runs[0])
            total = time.process_time() - started
        rest = total - spent["data"] - spent["looking on"]
        where = f"{task}, {architecture}, {spec.runs[0].steps} updates"
        yield Measurement(
            section="waste",
            what=f"{where}: data generation / training",
            value=spent["data"] / rest,
            goal=0.05,
            at_most=True,
        )
        yield Measurement(
            section="waste",
            what=f"{where}: evaluation, probes and logging / training",
            value=spent["looking on"] / rest,
            goal=0.10,
            at_most=True,
        )


def fixed_cost(runs: int) -> Measurement:
    """Of a run of one small update, from specification to committed result, in warm workers."""
    small = ["task=adding", "architecture=rnn_tanh", "length=2", "hidden_size=4", "steps=3"]
    few, many = _grid([*small, "seeds=4"]), _grid([*small, f"seeds={runs}"])
    cores = available_cores()
    return Measurement(
        section="waste",
        what="fixed cost of a run (spec to committed result)",
        value=(many.seconds - few.seconds) / (runs - 4) * min(cores, 4) * 1000,
        unit="ms",
        goal=30,
        at_most=True,
        note=f"{runs} runs on {cores} cores, less the start-up",
    )


def occupancy(runs: int, steps: int, mirrored: bool) -> Iterator[Measurement]:
    """Training's share of the cores' time in a grid; what mirroring that grid costs."""
    with tempfile.TemporaryDirectory() as folder:
        grid = _grid(
            ["task=adding", "architecture=gru", f"steps={steps}", f"seeds={runs}"], Path(folder)
        )
        each = grid.cpu / runs
        yield Measurement(
            section="waste",
            what=f"worker occupancy, {runs} runs of {each:.1f} s",
            value=grid.cpu / (grid.seconds * available_cores()),
            goal=0.95,
            note="start-up of the workers included",
        )
        if mirrored:
            started = time.perf_counter()
            subprocess.run(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "bench",
                    "sync",
                    f"{folder}/results",
                    "--mode=offline",
                ],
                check=True,
                env=os.environ | {"WANDB_DIR": folder},
                stdout=subprocess.DEVNULL,
            )
            seconds = time.perf_counter() - started
            yield Measurement(
                section="waste",
                what="mirroring to W&B (offline) / the grid's time",
                value=seconds / grid.seconds,
                goal=0.02,
                at_most=True,
                note=f"{1000 * seconds / runs:.0f} ms a run, wandb's import included",
            )


def commands(rounds: int) -> Iterator[Measurement]:
    """From the shell to the prompt again."""
    for arguments in (["--help"], ["list", "tasks"]):
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-P", "-m", "bench", *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            seconds.append(time.perf_counter() - started)
        yield Measurement(
            section="waste",
            what=f"bench {' '.join(arguments)}",
            value=median(seconds),
            unit="s",
            goal=0.5,
            at_most=True,
        )


class _Grid:
    """What a batch took: wall seconds, and the CPU seconds of its runs."""

    def __init__(self, overrides: list[str], folder: Path) -> None:
        planned = plan([*overrides, f"results={folder}/results"])
        with Path(os.devnull).open("w") as nowhere:
            summary = execute(planned, Console(file=nowhere))
        self.seconds = summary.seconds
        with Store.open(planned.results) as store:
            self.cpu = sum(stored.record.cpu_seconds for stored in store.rows())


def _grid(overrides: list[str], folder: Path | None = None) -> _Grid:
    if folder is not None:
        return _Grid(overrides, folder)
    with tempfile.TemporaryDirectory() as temporary:
        return _Grid(overrides, Path(temporary))


def _timed(owner: type, name: str, label: str, spent: Counter[str]) -> Any:
    """Patch a method so that its CPU time is added to `spent[label]`."""
    inner: Callable[..., Any] = getattr(owner, name)

    def outer(*arguments: Any, **keywords: Any) -> Any:
        started = time.process_time()
        try:
            return inner(*arguments, **keywords)
        finally:
            spent[label] += time.process_time() - started

    return mock.patch.object(owner, name, outer)
