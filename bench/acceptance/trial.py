"""A run that can be stopped between any two of its moments."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench import discovery
from bench.kernels.norms import norm
from bench.mitigations import Mitigation, Update
from bench.records import RunSpec
from bench.tasks import Task
from bench.training.run import DTYPES
from bench.training.step import StepReport, Trainer


class Trial:
    """The network, mitigations and optimiser of a specification, on the batches of its seed."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec, self.step = spec, 0
        self.task: Task = discovery.build("task", spec.task)
        self.network = discovery.build("architecture", spec.architecture).build(self.task.signature)
        self.network.initialise(spec.seed)
        mitigations = tuple(discovery.build("mitigation", each) for each in spec.mitigation)
        inputs = torch.from_numpy(self.task.training_batch(1, spec.seed).inputs)
        for mitigation in mitigations:
            mitigation.prepare(self.network, spec.seed, inputs)
        self.network.to(DTYPES[spec.dtype])
        optimizer = discovery.build("optimizer", spec.optimizer)
        self.trainer = Trainer(
            self.task, self.network, mitigations, optimizer, spec.steps, spec.seed
        )

    @property
    def memories(self) -> list[tuple[Mitigation, Any]]:
        return self.trainer.memories

    @memories.setter
    def memories(self, values: list[tuple[Mitigation, Any]]) -> None:
        self.trainer.memories = values

    def train(self, updates: int) -> list[StepReport]:
        return [self._update() for _ in range(updates)]

    def _update(self) -> StepReport:
        self.step += 1
        batch = self.task.training_batch(self.step, self.spec.seed)
        dtype = DTYPES[self.spec.dtype]
        targets = torch.from_numpy(batch.targets)
        targets = targets.to(dtype) if targets.is_floating_point() else targets
        inputs = torch.from_numpy(batch.inputs).to(dtype)
        return self.trainer.take(self.step, inputs, targets, probe=False)

    def fill(self, value: float) -> None:
        """Make every element of the gradient `value`."""
        self.trainer.flat.gradients.fill_(value)

    def plant(self, value: float) -> Tensor:
        """A small gradient with one element of the readout's `value`; that element, as a view."""
        self.fill(0.01)
        weight = next(parameter for parameter, _ in self.network.with_role("readout"))
        assert weight.grad is not None
        weight.grad[0, 0] = value
        element: Tensor = weight.grad[0, 0]
        return element

    @torch.no_grad()
    def transform(self) -> Update:
        """Gradient penalties and transforms, on the gradient as it stands."""
        rate = float(self.spec.optimizer.settings["lr"])
        update = Update(self.step + 1, self.spec.steps, rate, self.gradient_norm(), state=None)
        self.trainer.change_gradients(update)
        return update

    def gradient_norm(self) -> float:
        return norm(self.trainer.flat.gradients)

    def gradients(self) -> Tensor:
        """[N]"""
        return self.trainer.flat.gradients.clone()

    def values(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self.network.parameters()]
