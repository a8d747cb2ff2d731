"""Layers of a feed-forward network and the two losses, against torch's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.kernels.activations import ACTIVATIONS, DERIVATIVES
from bench.kernels.dense import dense
from bench.kernels.losses import mean_squared_error, softmax_cross_entropy
from bench.kernels.tap import Tap

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


@pytest.fixture
def normal() -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(0)
    return lambda *size: torch.randn(*size, generator=generator, dtype=torch.float64)


@each_activation
@pytest.mark.parametrize(("batch", "outputs", "inputs"), [(5, 4, 3), (1, 1, 1), (1, 3, 2)])
def test_dense_is_linear_then_activation(
    activation: str, batch: int, outputs: int, inputs: int, normal: Callable[..., Tensor]
) -> None:
    ours = [normal(batch, inputs), normal(outputs, inputs), normal(outputs)]
    theirs = [leaf.clone() for leaf in ours]
    cotangent = normal(batch, outputs)
    tap = Tap(watched=True)
    for leaf in (*ours, *theirs):
        leaf.requires_grad_()
    after = dense(*ours, activation, tap)
    after.backward(cotangent)
    expected = ACTIVATIONS[activation](F.linear(*theirs))
    expected.backward(cotangent)
    torch.testing.assert_close(after, expected)
    for mine, oracle in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, oracle.grad)
    assert torch.equal(tap.total_derivative(), cotangent)


@each_activation
def test_dense_by_finite_differences(activation: str, normal: Callable[..., Tensor]) -> None:
    leaves = [leaf.requires_grad_() for leaf in (normal(3, 4), normal(2, 4), normal(2))]
    assert torch.autograd.gradcheck(lambda *a: dense(*a, activation, Tap(watched=False)), leaves)


@each_activation
def test_the_derivative_of_an_activation_is_torchs(activation: str) -> None:
    """From far below to far above zero, zero itself included."""
    before = torch.cat([torch.linspace(-40, 40, 1001), torch.tensor([-1e30, 1e30, 0.0])]).double()
    before.requires_grad_()
    after = ACTIVATIONS[activation](before)
    (expected,) = torch.autograd.grad(after.sum(), before)
    derivative = DERIVATIVES[activation](before.detach(), after.detach())
    torch.testing.assert_close(derivative, expected)


def test_dense_refuses_a_second_differentiation(normal: Callable[..., Tensor]) -> None:
    inputs = normal(3, 4).requires_grad_()
    after = dense(inputs, normal(2, 4), normal(2), "tanh", Tap(watched=False))
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(after.sum(), inputs, create_graph=True)


def both_losses(
    ours: Callable[..., Tensor], torchs: Callable[..., Tensor], outputs: Tensor, targets: Tensor
) -> None:
    """The value and the derivative are torch's."""
    mine, oracle = outputs.clone().requires_grad_(), outputs.clone().requires_grad_()
    loss, expected = ours(mine, targets), torchs(oracle, targets)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(mine.grad, oracle.grad)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e4, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cross_entropy_is_torchs(
    scale: float, dtype: torch.dtype, normal: Callable[..., Tensor]
) -> None:
    targets = torch.tensor([0, 3, 3, 1, 2])
    logits = (scale * normal(5, 4)).to(dtype)
    both_losses(softmax_cross_entropy, F.cross_entropy, logits, targets)


def test_mean_squared_error_is_torchs(normal: Callable[..., Tensor]) -> None:
    for shape in ((1, 7, 1), (3, 2), (1,)):
        both_losses(mean_squared_error, F.mse_loss, normal(*shape), normal(*shape))


def test_cross_entropy_by_finite_differences(normal: Callable[..., Tensor]) -> None:
    targets = torch.tensor([1, 0, 2])
    logits = normal(3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: softmax_cross_entropy(x, targets), logits)


def test_cross_entropy_in_closed_form() -> None:
    targets = torch.tensor([2, 0])
    assert float(softmax_cross_entropy(torch.zeros(2, 5), targets)) == pytest.approx(math.log(5))
    shifted = torch.tensor([[1e4, 1e4 + 1.0], [-1e4, -1e4]], dtype=torch.float64)
    expected = (math.log1p(math.exp(-1)) + math.log(2)) / 2
    loss = softmax_cross_entropy(shifted, torch.tensor([1, 0]))
    assert float(loss) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_logit_of_nan_or_infinity_gives_nan(poison: float) -> None:
    logits = torch.zeros(3, 4)
    logits[1, 2] = poison
    logits.requires_grad_()
    loss = softmax_cross_entropy(logits, torch.zeros(3, dtype=torch.int64))
    loss.backward()
    assert loss.isnan()
    assert logits.grad is not None
    assert logits.grad[1].isnan().all()


def test_minus_infinity_is_a_probability_of_zero() -> None:
    logits = torch.tensor([[0.0, -math.inf]])
    assert float(softmax_cross_entropy(logits, torch.tensor([0]))) == 0.0
    assert float(softmax_cross_entropy(logits, torch.tensor([1]))) == math.inf


def test_cross_entropy_refuses_a_second_differentiation(normal: Callable[..., Tensor]) -> None:
    logits = normal(3, 4).requires_grad_()
    loss = softmax_cross_entropy(logits, torch.tensor([1, 0, 2]))
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(loss, logits, create_graph=True)


def test_a_squared_error_beyond_float32_is_infinite() -> None:
    outputs = torch.full((2,), 1e30).requires_grad_()
    loss = mean_squared_error(outputs, torch.zeros(2))
    loss.backward()
    assert loss.isinf()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
