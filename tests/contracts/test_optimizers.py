"""The acceptance battery of optimisers: every one found on disk."""

from __future__ import annotations

import pytest
import torch

from bench import discovery
from bench.optimizers import Optimizer
from tests.specs import member

each_optimizer = pytest.mark.parametrize("name", list(discovery.members("optimizer")))
each_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def build(name: str) -> Optimizer:
    optimizer: Optimizer = discovery.build("optimizer", member("optimizer", name))
    return optimizer


@each_optimizer
@each_type
def test_it_goes_downhill(name: str, dtype: torch.dtype) -> None:
    optimizer = build(name)
    parameters = torch.linspace(-2, 2, 7, dtype=dtype)
    state = optimizer.start(parameters)
    before = float((parameters**2).sum())
    for _ in range(50):
        optimizer.update(parameters, 2 * parameters, state, optimizer.lr)
    assert float((parameters**2).sum()) < before
    assert parameters.dtype == dtype


@each_optimizer
@each_type
def test_its_state_has_one_entry_for_every_parameter(name: str, dtype: torch.dtype) -> None:
    parameters = torch.ones(5, dtype=dtype)
    for vector in build(name).start(parameters).vectors.values():
        assert vector.shape == parameters.shape
        assert vector.dtype == dtype
        assert not vector.any()


@each_optimizer
def test_the_same_gradients_give_the_same_bits(name: str) -> None:
    results = []
    for _ in range(2):
        optimizer = build(name)
        parameters = torch.ones(9)
        state = optimizer.start(parameters)
        for step in range(10):
            optimizer.update(parameters, torch.arange(9.0) * step - 4, state, 0.05)
        results.append(parameters)
    assert torch.equal(*results)


@each_optimizer
def test_it_moves_in_place_and_leaves_the_gradient(name: str) -> None:
    optimizer = build(name)
    parameters, gradients = torch.ones(4), torch.tensor([1.0, -2.0, 0.5, 1e20])
    address, before = parameters.data_ptr(), gradients.clone()
    optimizer.update(parameters, gradients, optimizer.start(parameters), 0.1)
    assert parameters.data_ptr() == address
    assert torch.equal(gradients, before)
    assert (parameters[:2] != 1).all()


@each_optimizer
def test_at_a_rate_of_zero_nothing_moves(name: str) -> None:
    optimizer = build(name)
    parameters = torch.ones(4)
    optimizer.update(parameters, torch.ones(4), optimizer.start(parameters), 0.0)
    assert torch.equal(parameters, torch.ones(4))


@each_optimizer
def test_every_coordinate_is_by_itself(name: str) -> None:
    optimizer = build(name)
    together, alone = torch.ones(3), torch.ones(1)
    states = optimizer.start(together), optimizer.start(alone)
    for gradient in (0.3, -2.0, 7.0):
        optimizer.update(together, torch.tensor([1e6, gradient, 0.0]), states[0], 0.1)
        optimizer.update(alone, torch.tensor([gradient]), states[1], 0.1)
    assert torch.equal(together[1:2], alone)
