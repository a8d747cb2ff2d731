"""Functions of every element under autograd; how exact they are, test_functions measures."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from bench.kernels.elementwise import ACTIVATIONS, KINDS
from tests.kernels.arithmetic import each_arithmetic

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]
TORCHS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "selu": F.selu,
    "gelu": F.gelu,
    "linear": torch.clone,
    "sigmoid": torch.sigmoid,
}
each_activation = pytest.mark.parametrize("name", ACTIVATIONS)


def test_every_kind_is_an_activation() -> None:
    assert set(ACTIVATIONS) == set(KINDS) == set(TORCHS)


@each_activation
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float64, 1e-14)], ids=["32", "64"]
)
def test_value_and_derivative_are_torchs(name: str, dtype: torch.dtype, tolerance: float) -> None:
    """From far below to far above zero, zero itself included."""
    values = torch.cat([torch.linspace(-40, 40, 1001), torch.tensor([-1e30, 1e30, 0.0])]).to(dtype)
    mine, oracle = values.clone().requires_grad_(), values.clone().requires_grad_()
    after, expected = ACTIVATIONS[name](mine), TORCHS[name](oracle)
    cotangent = torch.linspace(1, 2, len(values), dtype=dtype)
    after.backward(cotangent)
    expected.backward(cotangent)
    torch.testing.assert_close(after, expected, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(mine.grad, oracle.grad, rtol=tolerance, atol=tolerance)


@each_activation
def test_derivatives_by_finite_differences(name: str) -> None:
    """Away from the kinks at zero."""
    values = torch.cat([torch.linspace(-4, -0.1, 20), torch.linspace(0.1, 4, 20)]).double()
    assert torch.autograd.gradcheck(ACTIVATIONS[name], values.requires_grad_())


@each_activation
def test_the_shape_is_kept_and_the_order_of_memory_does_not_matter(name: str) -> None:
    values = torch.linspace(-2, 2, 24, dtype=torch.float64).reshape(2, 3, 4)
    for view in (values, values.mT, values[:, ::2], values[0, 0, 0], values[:0]):
        leaf = view.detach().requires_grad_()
        after = ACTIVATIONS[name](leaf)
        after.backward(torch.ones_like(after))
        assert leaf.grad is not None
        assert after.shape == leaf.grad.shape == view.shape
        torch.testing.assert_close(after, TORCHS[name](view))


@each_activation
@pytest.mark.parametrize("poison", [math.inf, -math.inf])
def test_infinities_are_as_in_torch(name: str, poison: float) -> None:
    values = torch.tensor([1.0, poison, -1.0], dtype=torch.float64)
    mine, oracle = values.clone().requires_grad_(), values.clone().requires_grad_()
    after, expected = ACTIVATIONS[name](mine), TORCHS[name](oracle)
    after.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(after, expected, equal_nan=True)
    torch.testing.assert_close(mine.grad, oracle.grad, equal_nan=True)


@each_activation
def test_nan_stays_and_spoils_nothing_else(name: str) -> None:
    values = torch.tensor([1.0, math.nan, -1.0], requires_grad=True)
    after = ACTIVATIONS[name](values)
    after.sum().backward()
    assert after.isnan().tolist() == [False, True, False]
    assert values.grad is not None
    assert values.grad[[0, 2]].isfinite().all()
    # What is clear of NaN: relu and linear say how they would pass a derivative on.
    assert values.grad[1].isnan() == (name not in {"relu", "linear"})


def test_a_unit_that_is_off_passes_no_infinite_derivative_on() -> None:
    values = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    ACTIVATIONS["relu"](values).backward(torch.full((3,), math.inf))
    assert values.grad is not None
    assert values.grad.tolist() == [0.0, 0.0, math.inf]


@each_activation
def test_a_second_differentiation_is_refused(name: str) -> None:
    values = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(ACTIVATIONS[name](values).sum(), values, create_graph=True)
