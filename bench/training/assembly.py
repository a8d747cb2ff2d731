"""A specification -> a network ready for its first update, with all that moves and protects it."""

from __future__ import annotations

import torch
from torch import Tensor

from bench import discovery
from bench.network import Network
from bench.records import RunSpec
from bench.tasks import Batch, Task
from bench.training.step import Trainer

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def assemble(spec: RunSpec) -> Trainer:
    """Weights are drawn in float32's grid, before any cast: both types start alike."""
    task: Task = discovery.build("task", spec.task)
    network: Network = discovery.build("architecture", spec.architecture).build(task.signature)
    network.initialise(spec.seed)
    mitigations = tuple(discovery.build("mitigation", each) for each in spec.mitigation)
    inputs = torch.from_numpy(task.training_batch(1, spec.seed).inputs)
    for mitigation in mitigations:
        mitigation.prepare(network, spec.seed, inputs)
    network.to(DTYPES[spec.dtype])
    optimizer = discovery.build("optimizer", spec.optimizer)
    return Trainer(task, network, mitigations, optimizer, spec.steps, spec.seed)


def tensors(batch: Batch, dtype: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets as a network of that type takes them; classes stay whole numbers."""
    targets = torch.from_numpy(batch.targets)
    if targets.is_floating_point():
        targets = targets.to(DTYPES[dtype])
    return torch.from_numpy(batch.inputs).to(DTYPES[dtype]), targets
