"""How time and memory grow with T, H, B and the number of seeds, and how far that goes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.planning import plan
from bench.records import RunRecord, RunSpec
from bench.results.provenance import collect
from bench.results.store import Store
from bench.training.run import run
from speed_parts.measuring import Measurement

Series: TypeAlias = tuple[str, list[int], list[float]]
"""(setting, its values, seconds of an update at each)"""

BASE = {"length": 200, "hidden_size": 64, "batch_size": 32}
FEW, MANY = 5, 45  # updates: the difference leaves out what a run costs besides
HERE = Path(__file__).parent


def specification(**changes: int) -> RunSpec:
    """With as little evaluation as can be, so that what is measured is training."""
    overrides = [f"{name}={value}" for name, value in (BASE | changes).items()]
    fixed = ["task=adding", "architecture=rnn_tanh", "mitigation=clip_norm", "seeds=1"]
    fixed += ["protocol.evaluations=3", "task.adding.evaluation_size=100"]
    return plan([*fixed, *overrides]).runs[0]


def in_time(values: dict[str, list[int]], rounds: int) -> Iterator[Series]:
    """For every setting that grows, the others held."""
    for name, series in values.items():
        pairs = [
            [specification(steps=steps, **{name: value}) for steps in (FEW, MANY)]
            for value in series
        ]
        seconds = [[_seconds(few_or_many) for few_or_many in pair] for pair in pairs * rounds]
        updates = np.diff(np.array(seconds), axis=1).reshape(rounds, len(series)) / (MANY - FEW)
        yield name, series, list(np.median(updates, axis=0))


def exponents(measured: list[Series]) -> Iterator[Measurement]:
    """The slope of log time over log value: 1 is linear."""
    names = {"length": "T", "hidden_size": "H", "batch_size": "B"}
    for name, series, seconds in measured:
        letter, span = names[name], f"from {series[0]} to {series[-1]}"
        slope = np.polyfit(np.log(series), np.log(seconds), 1)[0]
        yield Measurement(
            section="growth",
            what=f"time of an update ~ {letter}^p, {letter} {span}: p",
            value=float(slope),
            goal=1.1 if name == "length" else None,
            at_most=True,
            note="work grows as H^2 and as B; small ones are all overhead"
            if name != "length"
            else "",
        )


def memory(lengths: list[int]) -> Iterator[tuple[int, float, float]]:
    """(T, bytes that training adds to a process, bytes of the activations alone) at each T."""
    idle = _peak(["0"])
    for length in lengths:
        yield length, _peak([str(length)]) - idle, length * 32 * 64 * 4


def memory_share(measured: list[tuple[int, float, float]]) -> Measurement:
    """At the longest sequence whose states are all kept."""
    length, taken, least = measured[-1]
    return Measurement(
        section="growth",
        what=f"memory of training / all states at once, T={length:,}",
        value=taken / least,
        goal=1.5,
        at_most=True,
    )


def long_sequence() -> Measurement:
    """Peak memory of a process that trains on T = 100,000, B = 32, H = 64."""
    return Measurement(
        section="growth",
        what="peak memory of a process that trains rnn_tanh on T=100,000, B=32, H=64",
        value=_peak(["100000"]) / 2**30,
        unit="GiB",
        goal=1.0,
        at_most=True,
        note="all states at once would be 0.76 GiB",
    )


def planning(count: int) -> Measurement:
    started = time.perf_counter()
    runs = plan(["task=adding", "architecture=[rnn_tanh,gru]", f"seeds={count // 2}"]).runs
    seconds = time.perf_counter() - started
    return Measurement(
        section="growth",
        what=f"planning {len(runs):,} runs",
        value=seconds,
        unit="s",
        goal=10 * len(runs) / 100_000,
        at_most=True,
    )


def stores(count: int) -> Iterator[Measurement]:
    """Resuming, exporting and reporting a complete store of `count` runs.

    20 of them are really run; the others are copies under seeds of their own: reading is timed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "results"
        seeds = count // 20
        grid = [
            *("task=[adding,temporal_order]", "architecture=[rnn_tanh,lstm]", "steps=30"),
            *("mitigation=[none,clip_norm,clip_value,l2,orthogonal]", "hidden_size=8", "length=20"),
            *(f"seeds={seeds}", f"results={folder}"),
        ]
        cells: dict[str, RunRecord] = {}
        with Store.open(folder) as store:
            for spec in plan(grid).runs:
                if spec.cell_id not in cells:
                    cells[spec.cell_id] = run(spec)
                store.put(replace(cells[spec.cell_id], spec=spec), collect(spec))
        for name, arguments, goal in (
            ("resuming a complete store", ["run", *grid], 5),
            ("exporting", ["export", str(folder)], None),
            ("reporting", ["report", str(folder)], 60),
        ):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-P", "-m", "bench", *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            yield Measurement(
                section="growth",
                what=f"{name}, {count:,} runs",
                value=time.perf_counter() - started,
                unit="s",
                goal=goal,
                at_most=True,
            )


def _seconds(spec: RunSpec) -> float:
    started = time.process_time()
    run(spec)
    return time.process_time() - started


def _peak(arguments: list[str]) -> float:
    answer = subprocess.run(
        [sys.executable, str(HERE / "one_run.py"), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(answer.stdout)
