"""nesterov and adamw against torch.optim, sign_sgd against NumPy, and all three at the extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.optimizers.test_against_torch import SIZE, build, gradients

ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
TORCHS_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
SETTINGS: dict[str, dict[str, Any]] = {
    "nesterov": {"momentum": 0.9},
    "adamw": ADAM | {"weight_decay": 0.1},
    "sign_sgd": {},
}
each_optimizer = pytest.mark.parametrize("name", SETTINGS)


@pytest.mark.parametrize(
    ("name", "settings", "oracle", "torchs"),
    [
        ("nesterov", {"momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ("nesterov", {"momentum": 0.0}, torch.optim.SGD, {}),
        ("adamw", SETTINGS["adamw"], torch.optim.AdamW, TORCHS_ADAM | {"weight_decay": 0.1}),
        ("adamw", ADAM | {"weight_decay": 0.0}, torch.optim.Adam, TORCHS_ADAM),
    ],
)
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adamw_without_decay_is_adam_to_the_bit(dtype: torch.dtype) -> None:
    found = []
    for name, settings in (("adam", ADAM), ("adamw", ADAM | {"weight_decay": 0.0})):
        optimizer, parameters = build(name, 0.01, **settings), torch.linspace(-1, 1, SIZE).to(dtype)
        state = optimizer.start(parameters)
        for gradient in gradients():
            optimizer.update(parameters, gradient.to(dtype), state, 0.01)
        found.append(parameters)
    assert torch.equal(*found)


def test_nesterovs_steps_are_those_of_sutskever_seen_from_where_the_gradient_is_taken() -> None:
    """On a quadratic: v' <- mu v' - lr grad(x + mu v'), x <- x + v'; ours is x + mu v'."""
    curvature = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    ours = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    x, v = ours.clone(), torch.zeros(3, dtype=torch.float64)
    optimizer = build("nesterov", 0.1, momentum=0.8)
    state = optimizer.start(ours)
    for _ in range(20):
        optimizer.update(ours, curvature * ours, state, 0.1)
        v = 0.8 * v - 0.1 * curvature * (x + 0.8 * v)
        x = x + v
        torch.testing.assert_close(ours, x + 0.8 * v, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sign_sgd_moves_by_numpys_sign(dtype: torch.dtype) -> None:
    optimizer, parameters = build("sign_sgd", 0.25), torch.linspace(-1, 1, SIZE).to(dtype)
    state, expected = optimizer.start(parameters), parameters.numpy().copy()
    for gradient in gradients():
        optimizer.update(parameters, gradient.to(dtype), state, 0.25)
        expected -= 0.25 * np.sign(gradient.to(dtype).numpy())
    assert np.array_equal(parameters.numpy(), expected)
    assert parameters.dtype == dtype


def test_sign_sgd_hides_no_nan_and_is_not_thrown() -> None:
    optimizer, parameters = build("sign_sgd", 0.5), torch.ones(6)
    drawn = torch.tensor([math.nan, math.inf, -math.inf, 3e38, -1e-45, 0.0])
    optimizer.update(parameters, drawn, optimizer.start(parameters), 0.5)
    assert parameters[0].isnan()
    assert parameters[1:].tolist() == [0.5, 1.5, 0.5, 1.5, 1.0]


@each_optimizer
def test_the_gradients_are_left_alone_and_the_parameters_moved_in_place(name: str) -> None:
    optimizer, parameters = build(name, 0.1, **SETTINGS[name]), torch.ones(SIZE).double()
    address, gradient = parameters.data_ptr(), gradients()[0]
    before = gradient.clone()
    optimizer.update(parameters, gradient, optimizer.start(parameters), 0.1)
    assert torch.equal(gradient, before)
    assert parameters.data_ptr() == address
    assert (parameters != 1)[gradient != 0].all()


@pytest.mark.parametrize("poison", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["nesterov", "adamw"])
def test_a_gradient_that_is_not_finite_spoils_its_own_coordinate_alone(
    name: str, poison: float
) -> None:
    optimizer, parameters, clean = build(name, 0.1, **SETTINGS[name]), torch.ones(3), torch.ones(3)
    state, clean_state = optimizer.start(parameters), optimizer.start(clean)
    for gradient in ([1.0, poison, 2.0], [1.0, 1.0, 2.0]):
        optimizer.update(parameters, torch.tensor(gradient), state, 0.1)
        optimizer.update(clean, torch.tensor([1.0, 1.0, 2.0]), clean_state, 0.1)
    assert not parameters[1].isfinite()
    assert torch.equal(parameters[[0, 2]], clean[[0, 2]])


def test_one_gradient_of_1e30_leaves_adamw_nothing_but_the_decay() -> None:
    optimizer, parameters = build("adamw", 0.1, **SETTINGS["adamw"]), torch.ones(2)
    state = optimizer.start(parameters)
    optimizer.update(parameters, torch.tensor([1.0, 1e30]), state, 0.1)
    for _ in range(9):
        optimizer.update(parameters, torch.ones(2), state, 0.1)
    assert state.vectors["square"].isinf().tolist() == [False, True]
    assert float(parameters[1]) == pytest.approx((1 - 0.1 * 0.1) ** 10)
    assert float(parameters[0]) < 0.5
