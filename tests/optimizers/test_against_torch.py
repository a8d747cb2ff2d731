"""The optimisers against torch.optim, and what one enormous gradient does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from bench import discovery
from bench.optimizers import Optimizer
from bench.records import MemberSpec

SIZE, STEPS = 40, 50

PAIRS: list[tuple[str, dict[str, Any], Callable[..., torch.optim.Optimizer], dict[str, Any]]] = [
    ("sgd", {}, torch.optim.SGD, {}),
    ("momentum", {"momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    ("momentum", {"momentum": 0.0}, torch.optim.SGD, {}),
    ("rmsprop", {"alpha": 0.99, "eps": 1e-8}, torch.optim.RMSprop, {"alpha": 0.99, "eps": 1e-8}),
    ("rmsprop", {"alpha": 0.0, "eps": 0.1}, torch.optim.RMSprop, {"alpha": 0.0, "eps": 0.1}),
    (
        "adam",
        {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        torch.optim.Adam,
        {"betas": (0.9, 0.999), "eps": 1e-8},
    ),
    (
        "adam",
        {"beta1": 0.0, "beta2": 0.5, "eps": 0.1},
        torch.optim.Adam,
        {"betas": (0.0, 0.5), "eps": 0.1},
    ),
]


def build(name: str, lr: float, **settings: Any) -> Optimizer:
    optimizer: Optimizer = discovery.build("optimizer", MemberSpec(name, {"lr": lr, **settings}))
    return optimizer


def gradients(steps: int = STEPS) -> Tensor:
    """Of very different sizes, with zeros among them."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(steps, SIZE, generator=generator, dtype=torch.float64)
    drawn *= 10.0 ** torch.randint(-6, 7, drawn.shape, generator=generator)
    drawn[torch.rand(drawn.shape, generator=generator) < 0.1] = 0
    return drawn


@pytest.mark.parametrize(("name", "settings", "oracle", "torchs"), PAIRS)
def test_fifty_updates_are_torchs(
    name: str,
    settings: dict[str, Any],
    oracle: Callable[..., torch.optim.Optimizer],
    torchs: dict[str, Any],
) -> None:
    optimizer = build(name, 0.01, **settings)
    ours = torch.linspace(-1, 1, SIZE, dtype=torch.float64)
    theirs = ours.clone().requires_grad_()
    state = optimizer.start(ours)
    torch_optimizer = oracle([theirs], lr=0.01, **torchs)
    for step, gradient in enumerate(gradients()):
        rate = 0.01 * (1 + step / 10)  # as a schedule would have it
        torch_optimizer.param_groups[0]["lr"] = rate
        optimizer.update(ours, gradient, state, rate)
        theirs.grad = gradient.clone()
        torch_optimizer.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [pair[0] for pair in PAIRS[::2]])
def test_the_gradients_are_left_alone_and_the_parameters_moved_in_place(name: str) -> None:
    settings = next(settings for pair, settings, *_ in PAIRS if pair == name)
    optimizer = build(name, 0.1, **settings)
    parameters = torch.ones(SIZE, dtype=torch.float64)
    address, gradient = parameters.data_ptr(), gradients()[0]
    before = gradient.clone()
    optimizer.update(parameters, gradient, optimizer.start(parameters), 0.1)
    assert torch.equal(gradient, before)
    assert parameters.data_ptr() == address
    assert not torch.equal(parameters, torch.ones_like(parameters))


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_one_gradient_of_1e30_freezes_its_coordinate_for_ever(name: str) -> None:
    """Loss and weights stay finite, so nothing but the optimiser's state tells."""
    settings = {"adam": {"beta1": 0.9, "beta2": 0.999}, "rmsprop": {"alpha": 0.99}}[name]
    optimizer = build(name, 0.1, eps=1e-8, **settings)
    parameters = torch.ones(3)
    state = optimizer.start(parameters)
    optimizer.update(parameters, torch.tensor([1.0, 1e30, -1.0]), state, 0.1)
    squares = state.vectors["square" if name == "adam" else "square_average"]
    assert squares.isinf().tolist() == [False, True, False]
    trail = []
    for _ in range(20):
        optimizer.update(parameters, torch.ones(3), state, 0.1)
        trail.append(parameters.clone())
    moves = torch.stack(trail).diff(dim=0)
    assert not moves[:, 1].any()
    assert moves[:, [0, 2]].all()
    assert parameters.isfinite().all()


def test_descent_and_momentum_are_not_frozen_by_it_but_thrown() -> None:
    for name, settings in (("sgd", {}), ("momentum", {"momentum": 0.5})):
        optimizer = build(name, 1.0, **settings)
        parameters = torch.zeros(1)
        state = optimizer.start(parameters)
        optimizer.update(parameters, torch.tensor([1e30]), state, 1.0)
        assert parameters.item() == pytest.approx(-1e30)
        optimizer.update(parameters, torch.zeros(1), state, 1.0)
        assert parameters.item() == pytest.approx(-1e30 if name == "sgd" else -1.5e30)


@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_gradient_of_zero_moves_nothing_at_the_start(name: str) -> None:
    settings = next(settings for pair, settings, *_ in PAIRS if pair == name)
    optimizer = build(name, 0.1, **settings)
    parameters = torch.ones(3)
    optimizer.update(parameters, torch.zeros(3), optimizer.start(parameters), 0.1)
    assert torch.equal(parameters, torch.ones(3))


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_gradient_that_is_not_finite_spoils_its_own_coordinate_alone(
    name: str, poison: float
) -> None:
    settings = next(settings for pair, settings, *_ in PAIRS if pair == name)
    optimizer = build(name, 0.1, **settings)
    parameters, clean = torch.ones(3), torch.ones(3)
    state, clean_state = optimizer.start(parameters), optimizer.start(clean)
    for gradient in ([1.0, poison, 2.0], [1.0, 1.0, 2.0]):
        optimizer.update(parameters, torch.tensor(gradient), state, 0.1)
        optimizer.update(clean, torch.tensor([1.0, 1.0, 2.0]), clean_state, 0.1)
    assert not parameters[1].isfinite()
    assert torch.equal(parameters[[0, 2]], clean[[0, 2]])
