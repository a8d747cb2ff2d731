"""What an update costs: time and memory, in units of the same update without the member."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import median

from bench.acceptance.small import small, spec
from bench.acceptance.trial import Trial
from bench.machine import forget_peak_memory, peak_memory, resident_memory
from bench.records import RunSpec

SIZES = {
    "task": {"length": 100, "batch_size": 32, "steps": 1000},
    "architecture": {"hidden_size": 64, "depth": 50},
}
"""At which costs are told: large enough that the arithmetic is most of it."""
WARM_UP = 2


@dataclass(frozen=True)
class Cost:
    """Of one update, as multiples of the reference's."""

    time: float
    memory: float  # the most that an update holds beyond what stays between two
    before: float  # what the member takes before the first update, in updates of the reference's


def of_mitigation(name: str, task: str, architecture: str, rounds: int = 9) -> Cost:
    """Against `none`."""
    wanted = spec(task, architecture, name, settings=SIZES)
    return _relative(wanted, replace(wanted, mitigation=(small("mitigation", "none"),)), rounds)


def of_architecture(name: str, task: str, reference: str, rounds: int = 9) -> Cost:
    return _relative(
        spec(task, name, settings=SIZES), spec(task, reference, settings=SIZES), rounds
    )


def of_optimizer(name: str, rounds: int = 9) -> Cost:
    """Against sgd."""
    wanted = spec("adding", "rnn_tanh", optimizer=name, settings=SIZES)
    return _relative(wanted, spec("adding", "rnn_tanh", settings=SIZES), rounds)


def _relative(wanted: RunSpec, reference: RunSpec, rounds: int) -> Cost:
    """Medians over rounds in which both take turns, since other work comes and goes."""
    starts = [_seconds_to_assemble(each) for each in (wanted, reference)]
    trials = [Trial(wanted), Trial(reference)]
    for trial in trials:
        trial.train(WARM_UP)
    memory = [_memory(trial) for trial in trials]
    updates = [_updates_for(trial, 0.05) for trial in trials]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for index, trial in enumerate(trials):
            started = time.process_time()
            trial.train(updates[index])
            times[index].append((time.process_time() - started) / updates[index])
    medians = [median(each) for each in times]
    before = max(0.0, starts[0] - starts[1]) / medians[1]
    return Cost(_ratio(medians), _ratio(memory), before)


def _seconds_to_assemble(spec: RunSpec) -> float:
    """Of the faster of two: the first may read a data set."""
    seconds = []
    for _ in range(2):
        started = time.process_time()
        Trial(spec)
        seconds.append(time.process_time() - started)
    return min(seconds)


def _ratio(pair: Sequence[float]) -> float:
    return pair[0] / pair[1] if pair[1] else float("nan")


def _updates_for(trial: Trial, seconds: float) -> int:
    started = time.process_time()
    trial.train(1)
    return max(1, round(seconds / max(time.process_time() - started, 1e-6)))


def _memory(trial: Trial) -> float:
    """Bytes that one update holds at most beyond those held before it."""
    trial.network.trace = []
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)  # what was freed would be used again, and not be seen
    before = resident_memory()
    forget_peak_memory()
    trial.train(1)
    return float(max(0, peak_memory() - before))
