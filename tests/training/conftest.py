"""What is planted in a run, to be recognised."""

from __future__ import annotations

import pytest
import torch

from bench.mitigations.none import NoMitigation
from bench.tasks.adding import Adding


@pytest.fixture
def plant_in_gradient(monkeypatch):
    """plant(value, at): the gradient of the recurrent weights holds `value` at these updates."""

    def plant(value: float, at: set[int]) -> None:
        passes = iter(range(1, 10_000))

        def hook(gradient: torch.Tensor) -> torch.Tensor:
            if next(passes) not in at:
                return gradient
            planted = gradient.clone()
            planted[0, 0] = value
            return planted

        def prepare(self, network, seed, inputs):
            network.get_parameter("recurrent_0").register_hook(hook)

        monkeypatch.setattr(NoMitigation, "prepare", prepare)

    return plant


@pytest.fixture
def plant_in_loss(monkeypatch):
    """plant(value, from_update): so is the loss in training; evaluations keep theirs."""

    def plant(value: float, from_update: int) -> None:
        passes, plain = iter(range(1, 10_000)), Adding.loss

        def loss(self, outputs, targets):
            found = plain(self, outputs, targets)
            if not torch.is_grad_enabled() or next(passes) < from_update:
                return found
            return found * 0 + value

        monkeypatch.setattr(Adding, "loss", loss)

    return plant


@pytest.fixture
def plant_in_parameters(monkeypatch):
    """plant(name, value, at): after update `at` the first entry of this parameter is `value`."""

    def plant(name: str, value: float, at: int) -> None:
        def project(self, network, update, previous):
            if update.step == at:
                network.get_parameter(name).view(-1)[0] = value

        monkeypatch.setattr(NoMitigation, "project", project)

    return plant
