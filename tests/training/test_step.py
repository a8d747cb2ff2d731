"""The drawn step: what mitigations do to gradients and parameters reaches the one flat vector."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.mitigations.none import NoMitigation
from bench.training.flat import FlatParameters
from bench.training.run import run
from tests.specs import spec


def test_parameters_and_gradients_are_views_of_one_vector():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    flat = FlatParameters(network)
    assert all(map(torch.equal, before, network.parameters()))
    flat.values.zero_()
    assert all(not parameter.any() for parameter in network.parameters())
    network(torch.ones(5, 3)).sum().backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    assert torch.equal(flat.gradients, expected)
    assert flat.gradients.any()


def test_the_scale_is_that_of_the_smallest_parameter_that_is_not_zero():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    sizes = {"0.weight": -7.0, "0.bias": 0.0, "1.weight": 1e-3, "1.bias": 0.0}
    for name, parameter in network.named_parameters():
        nn.init.zeros_(parameter)
        parameter.data.view(-1)[1] = sizes[name]
    flat = FlatParameters(network)
    assert flat.scale == pytest.approx(1e-3)
    flat.values.zero_()
    assert flat.scale == 0.0


def test_a_gradient_that_was_replaced_or_removed_is_brought_back():
    network = nn.Linear(2, 1)
    flat = FlatParameters(network)
    flat.gradients.fill_(1.0)
    network.weight.grad = torch.tensor([[5.0, 6.0]])
    network.bias.grad = None
    flat.collect_gradients()
    assert flat.gradients.tolist() == [5.0, 6.0, 0.0]
    assert network.bias.grad is not None
    network.weight.grad.fill_(7.0)
    assert flat.gradients.tolist() == [7.0, 7.0, 0.0]


def test_the_moments_come_in_the_drawn_order(monkeypatch):
    seen: list[str] = []

    def moment(name, result=None):
        def fill_in(self, *arguments):
            seen.append(name)
            return result

        return fill_in

    for name, result in (
        ("schedule", 1.0),
        ("penalty", torch.zeros(())),
        ("gradient_penalty", None),
        ("transform", None),
        ("project", None),
    ):
        monkeypatch.setattr(NoMitigation, name, moment(name, result))
    run(spec(steps=1))
    assert seen == ["schedule", "penalty", "gradient_penalty", "transform", "project"]


def test_a_gradient_penalty_sees_the_total_derivative_of_every_step(monkeypatch):
    shapes = []

    def gradient_penalty(self, network, update):
        shapes.append(tuple(network.trace[0].total_derivative().shape))

    monkeypatch.setattr(NoMitigation, "gradient_penalty", gradient_penalty)
    monkeypatch.setattr(NoMitigation, "watches", True)
    run(spec(steps=2))
    assert shapes == [(20, 8, 12)] * 2
