"""The same grid of runs by this suite, by the ordinary script, by one process for each run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from bench.execution.cores import available_cores
from speed_parts.measuring import Measurement

SCRIPT = Path(__file__).with_name("ordinary.py")
ARCHITECTURES = ("rnn_tanh", "gru", "lstm")


def grid(seeds: int, steps: int) -> Iterator[Measurement]:
    """Wall time of the whole command, start-up included, in units of this suite's."""
    cores = available_cores()
    ours = _suite(seeds, steps)
    sequential = _sequential(seeds, steps)
    processes = _process_per_run(seeds, steps, cores)
    size = (
        f"{len(ARCHITECTURES) * seeds} runs of {steps} updates, adding T=100, H=64, {cores} cores"
    )
    yield Measurement(
        section="grid", what=f"{size}: bench run", value=ours, unit="s", note="start-up included"
    )
    yield Measurement(
        section="grid",
        what="the ordinary PyTorch script (default threads, one process): times as long",
        value=sequential / ours,
    )
    yield Measurement(
        section="grid",
        what="one process for each run, as Hydra's joblib launcher: times as long",
        value=processes / ours,
        note=f"{cores} processes at a time, one thread each",
    )


def _suite(seeds: int, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return _timed(
            [
                *(sys.executable, "-P", "-m", "bench", "run", f"results={folder}/results"),
                *("task=adding", f"architecture=[{','.join(ARCHITECTURES)}]"),
                *("mitigation=clip_norm", "optimizer=sgd", "lr=0.01", f"seeds={seeds}"),
                *("length=100", "hidden_size=64", "batch_size=32", f"steps={steps}"),
            ]
        )


def _sequential(seeds: int, steps: int) -> float:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import ordinary\n"
        "for name in sys.argv[4:]:\n"
        "    for seed in range(int(sys.argv[2])):\n"
        "        ordinary.train(ordinary.Config(name, seed, steps=int(sys.argv[3])))\n"
    )
    arguments = [str(SCRIPT.parent), str(seeds), str(steps), *ARCHITECTURES]
    return _timed([sys.executable, "-c", code, *arguments])


def _process_per_run(seeds: int, steps: int, cores: int) -> float:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores) as pool:
        started = time.perf_counter()
        runs = [
            [
                *(sys.executable, str(SCRIPT), f"architecture={name}", f"seed={seed}"),
                *(f"steps={steps}", f"hydra.run.dir={folder}/{name}-{seed}"),
            ]
            for name, seed in product(ARCHITECTURES, range(seeds))
        ]
        list(pool.map(lambda command: _timed(command, {"OMP_NUM_THREADS": "1"}), runs))
        return time.perf_counter() - started


def _timed(command: list[str], environment: dict[str, str] | None = None) -> float:
    started = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started
