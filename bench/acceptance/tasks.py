"""The battery of a task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from bench import discovery
from bench.acceptance.findings import Check, counted, demand
from bench.acceptance.small import fitting, small
from bench.discovery import Member
from bench.tasks import Batch, Task
from bench.training.run import run


def checks(member: Member) -> Iterator[tuple[str, Check]]:
    yield "batches", partial(_batches, member)
    yield "parts", partial(_parts, member)
    yield "chance", partial(_chance, member)
    yield "score", partial(_score, member)
    yield "runs", partial(_runs, member)


def _task(member: Member) -> Task:
    task: Task = discovery.build("task", small("task", member.name))
    return task


def _same(one: Batch, other: Batch) -> bool:
    return np.array_equal(one.inputs, other.inputs) and np.array_equal(one.targets, other.targets)


def _batches(member: Member) -> str:
    """A batch depends on its step and seed alone, whatever was drawn before."""
    first, again = _task(member), _task(member)
    third = first.training_batch(3, 0)
    for seed in range(1, 5):  # enough that nothing of the first draw is remembered
        again.training_batch(1, seed)
    demand(_same(third, again.training_batch(3, 0)), "one step and seed give two batches")
    demand(not _same(third, first.training_batch(4, 0)), "two steps give one batch")
    demand(third.inputs.dtype == np.float32, f"inputs are {third.inputs.dtype}, not float32")
    allowed = (np.dtype(np.float64), np.dtype(np.int64))
    demand(third.targets.dtype in allowed, f"targets are {third.targets.dtype}")
    return f"inputs {third.inputs.shape}, targets {third.targets.shape}"


def _parts(member: Member) -> str:
    task = _task(member)
    parts = [task.evaluation_batch(part, 0) for part in ("validation", "test")]
    demand(not _same(*parts), "validation and test are the same")
    return f"{task.evaluation_size} examples each"


def _chance(member: Member) -> str:
    task = _task(member)
    loss, metric = task.chance_loss, task.chance_metric
    demand(math.isfinite(loss) and loss > 0, f"chance_loss is {loss}")
    demand(task.explosion_bound > loss, "the explosion bound is below chance")
    demand(not task.is_solved(loss, metric), "chance counts as solved")
    return f"loss {loss:.4g}, {task.metric} {metric:.4g}"


def _score(member: Member) -> str:
    task = _task(member)
    targets = torch.from_numpy(task.evaluation_batch("validation", 0).targets)
    signature = task.signature
    shape: tuple[int, ...] = (targets.shape[0], signature.output_size)
    if member.facts["inputs"] == "sequence":
        shape = (signature.output_steps, targets.shape[1], signature.output_size)
    outputs = torch.full(shape, math.nan)
    demand(math.isnan(task.score(outputs, targets)), "NaN gets a score")
    demand(not task.is_solved(math.nan, math.nan), "NaN counts as solved")
    return "NaN is no score"


def _runs(member: Member) -> str:
    specs = list(fitting(task=member.name))
    demand(bool(specs), f"no architecture takes a {member.facts['inputs']}")
    return f"with {len(specs)} architectures: {counted(run(each).outcome for each in specs)}"
