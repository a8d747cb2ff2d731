"""The training step, drawn once.

batch -> observe -> loss + penalties -> backward -> inspect -> gradient penalties
      -> transform gradients -> optimiser (at lr x schedule) -> project parameters -> inspect
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from bench.kernels.norms import norm
from bench.kernels.tap import Watch
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.optimizers import Optimizer
from bench.records import Event
from bench.tasks import Task
from bench.training import events
from bench.training.flat import FlatParameters


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What one update did."""

    loss: float  # the task's, without penalties
    learning_rate: float
    gradient_norm: float  # before any transform
    transformed_norm: float
    clipped: bool  # a transform changed the gradient
    skipped: bool
    parameters_are_finite: bool
    change_norm: float  # |change of the parameters|
    state_lost: float  # share of coordinates whose optimiser state is not finite
    events: tuple[Event, ...]


class Trainer:
    """A network on its way: parameters, optimiser state, the mitigations' memories."""

    def __init__(
        self,
        task: Task,
        network: Network,
        mitigations: tuple[Mitigation, ...],
        optimizer: Optimizer,
        steps: int,
        seed: int,
    ) -> None:
        self.task, self.network, self.optimizer, self.steps = task, network, optimizer, steps
        self.flat = FlatParameters(network)
        self.optimizer_state = optimizer.start(self.flat.values)
        self.memories: list[tuple[Mitigation, Any]] = [
            (m, m.start(network, seed)) for m in mitigations
        ]
        self._watches = any(m.watches for m in mitigations)
        network.states_are_read = any(m.reads_states for m in mitigations)
        self._previous = self.flat.values.clone()
        self._change = torch.zeros_like(self.flat.values)

    def take(self, step: int, inputs: Tensor, targets: Tensor, *, probe: bool) -> StepReport:
        """Update `step` (from 1) on one batch; `probe` keeps dL/dh in `network.trace`."""
        flat = self.flat
        learning_rate = self.optimizer.lr
        for mitigation, _ in self._filling("schedule"):
            learning_rate *= mitigation.schedule(step, self.steps)

        loss = self.backward(inputs, targets, probe=probe)

        # inspect
        gradient_norm = norm(flat.gradients)
        found = list(events.in_activations(self.network.trace, step))
        found += events.in_loss(loss, step)
        found += events.in_gradients(flat, gradient_norm, step)

        update = Update(step, self.steps, learning_rate, gradient_norm, state=None)
        with torch.no_grad():
            clipped = self.change_gradients(update)
            self.move(update)

            # inspect
            vectors = self.optimizer_state.vectors
            lost = list(events.in_optimizer_state(vectors, step))
            ruined = list(events.in_parameters(flat, step))
        return StepReport(
            loss=loss,
            learning_rate=learning_rate,
            gradient_norm=gradient_norm,
            transformed_norm=update.gradient_norm,
            clipped=clipped,
            skipped=update.skip,
            parameters_are_finite=not ruined,
            change_norm=norm(self._change),
            state_lost=events.share_lost(vectors) if lost else 0.0,
            events=(*found, *lost, *ruined),
        )

    def backward(self, inputs: Tensor, targets: Tensor, *, probe: bool = False) -> float:
        """Loss + penalties -> backward. The gradients are in `flat`; returns the task's loss."""
        self.network.watch = (
            Watch.GRADIENTS if self._watches else Watch.NORMS if probe else Watch.NOTHING
        )
        self.network.train()
        for mitigation, _ in self._filling("observe"):
            mitigation.observe(self.network, inputs, targets)
        with parametrize.cached():
            loss = self.task.loss(self.network(inputs), targets)
            total = loss
            for mitigation, memory in self._filling("penalty"):
                total = total + mitigation.penalty(self.network, memory)
        self.flat.gradients.zero_()
        total.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def change_gradients(self, update: Update) -> bool:
        """Gradient penalties, then transforms; whether a transform changed anything."""
        flat = self.flat
        for mitigation, update.state in self._filling("gradient_penalty"):
            mitigation.gradient_penalty(self.network, update)
            flat.collect_gradients()
            update.gradient_norm = norm(flat.gradients)
        transforming = list(self._filling("transform"))
        before = flat.gradients.clone() if transforming else flat.gradients
        for mitigation, update.state in transforming:
            mitigation.transform(self.network, update)
            flat.collect_gradients()
            update.gradient_norm = norm(flat.gradients)
        # NaN differs from itself, so a gradient that is not finite is compared bit by bit.
        return bool(transforming) and not torch.equal(_bits(before), _bits(flat.gradients))

    def move(self, update: Update) -> None:
        """Optimiser, then projections; neither in an update that is skipped."""
        flat, rate = self.flat, update.learning_rate
        self._previous.copy_(flat.values)
        if update.restart:
            self.optimizer_state = self.optimizer.start(flat.values)
        if not update.skip:
            self.optimizer.update(flat.values, flat.gradients, self.optimizer_state, rate)
            for mitigation, update.state in self._filling("project"):
                mitigation.project(self.network, update, flat.by_name(self._previous))
        torch.sub(flat.values, self._previous, out=self._change)

    def update_to_weight_ratio(self) -> float:
        """|change| / |parameters before|, of the last update."""
        weight, change = norm(self._previous), norm(self._change)
        if weight == 0:
            return float("inf") if change else 0.0
        return change / weight

    def _filling(self, moment: str) -> Iterator[tuple[Mitigation, Any]]:
        """The mitigations that fill in `moment`, in the stated order, with their memories."""
        return ((m, memory) for m, memory in self.memories if m.fills_in(moment))


def _bits(values: Tensor) -> Tensor:
    return values.view(torch.int32 if values.dtype == torch.float32 else torch.int64)
