"""A run that can be stopped between any two of its moments."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench.kernels.norms import norm
from bench.mitigations import Mitigation, Update
from bench.records import RunSpec
from bench.training.assembly import assemble, tensors
from bench.training.step import StepReport


class Trial:
    """The network, mitigations and optimiser of a specification, on the batches of its seed."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec, self.step = spec, 0
        self.trainer = assemble(spec)
        self.task, self.network = self.trainer.task, self.trainer.network

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
        return self.trainer.take(self.step, *self.batch(self.step), probe=False)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of update `step`, from 1."""
        return tensors(self.task.training_batch(step, self.spec.seed), self.spec.dtype)

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
