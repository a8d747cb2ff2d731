"""Whether the runs of a plan fit into memory: one of them, and as many as are run at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.machine import available_memory
from bench.planning.estimates import estimates, gigabytes
from bench.records import BadInput, RunSpec

SIZES = ("hidden_size", "num_layers", "depth", "length", "images", "batch_size", "evaluation_size")
"""The settings that memory depends on."""


@dataclass(frozen=True)
class Memory:
    """What there was when the plan was made, and what its largest run needs. In bytes."""

    available: int | None  # None where the machine does not say
    needed: int

    @property
    def most_runs(self) -> int | None:
        """How many fit at a time; None where that is not known."""
        return None if self.available is None else self.available // self.needed


def check_memory(
    specs: Sequence[RunSpec], workers: int | None, num_runs: int, where: Callable[[str], str]
) -> Memory:
    """Of a plan of `num_runs` runs in the cells `specs`, `workers` at a time (None: not said).

    Raises BadInput where not even the largest run fits, or not as many as are asked for.
    """
    needed, largest = max(
        ((each.bytes, spec) for each, spec in zip(estimates(specs), specs, strict=True)),
        key=lambda pair: pair[0],
    )
    memory = Memory(available_memory(), needed)
    if memory.available is None or memory.most_runs is None:
        return memory
    there_is = f"{gigabytes(memory.available)} are available"
    if memory.most_runs == 0:
        settings = {**largest.task.settings, **largest.architecture.settings}
        given = [f"{name}={settings[name]}" for name in SIZES if name in settings]
        raise BadInput(
            f"{' '.join(given)} ({largest.architecture.name} on {largest.task.name}): a run needs "
            f"about {gigabytes(needed)} of memory, and {there_is}; make one of them smaller"
        )
    if workers is not None and min(workers, num_runs) > memory.most_runs:
        together = min(workers, num_runs)
        raise BadInput(
            f"{where('executor.workers')}={workers}: {together} runs at a time need up to "
            f"{gigabytes(together * needed)} of memory, and {there_is}; give at most "
            f"executor.workers={memory.most_runs}, or leave it out"
        )
    return memory
