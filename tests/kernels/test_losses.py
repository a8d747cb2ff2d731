"""The two losses against torch's own, in closed form and where they leave the range."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.kernels.losses import mean_squared_error, softmax_cross_entropy
from tests.kernels.arithmetic import each_arithmetic

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]
each_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def normal(*size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(size))
    return torch.randn(*size, generator=generator, dtype=dtype)


def both_losses(
    ours: Callable[..., Tensor], torchs: Callable[..., Tensor], outputs: Tensor, targets: Tensor
) -> None:
    """The value and the derivative are torch's."""
    mine, oracle = outputs.clone().requires_grad_(), outputs.clone().requires_grad_()
    loss, expected = ours(mine, targets), torchs(oracle, targets)
    (3 * loss).backward()
    (3 * expected).backward()
    assert loss.dtype == outputs.dtype
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(mine.grad, oracle.grad)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e4, 1e30])
@each_type
def test_cross_entropy_is_torchs(scale: float, dtype: torch.dtype) -> None:
    for rows, classes in ((5, 4), (1, 1), (1, 10), (70, 3)):
        targets = torch.arange(rows) % classes
        logits = scale * normal(rows, classes, dtype=dtype)
        both_losses(softmax_cross_entropy, F.cross_entropy, logits, targets)
        both_losses(softmax_cross_entropy, F.cross_entropy, logits.mT.contiguous().mT, targets)


@each_type
def test_mean_squared_error_is_torchs(dtype: torch.dtype) -> None:
    for shape in ((1, 7, 1), (3, 2), (1,), (40, 3)):
        outputs, targets = normal(*shape, dtype=dtype), normal(*shape, 1, dtype=dtype)[..., 0]
        both_losses(mean_squared_error, F.mse_loss, outputs, targets)
    both_losses(mean_squared_error, F.mse_loss, normal(3, 2).mT, normal(3, 2).mT)


def test_losses_by_finite_differences() -> None:
    targets = torch.tensor([1, 0, 2])
    logits, wanted = normal(3, 4).requires_grad_(), normal(3, 4, 1)[..., 0]
    assert torch.autograd.gradcheck(lambda x: softmax_cross_entropy(x, targets), logits)
    assert torch.autograd.gradcheck(lambda x: mean_squared_error(x, wanted), logits)


def test_cross_entropy_in_closed_form() -> None:
    targets = torch.tensor([2, 0])
    assert float(softmax_cross_entropy(torch.zeros(2, 5), targets)) == pytest.approx(math.log(5))
    shifted = torch.tensor([[1e4, 1e4 + 1.0], [-1e4, -1e4]], dtype=torch.float64)
    expected = (math.log1p(math.exp(-1)) + math.log(2)) / 2
    loss = softmax_cross_entropy(shifted, torch.tensor([1, 0]))
    assert float(loss) == pytest.approx(expected, rel=1e-12)


@each_type
def test_a_shift_of_all_logits_changes_nothing(dtype: torch.dtype) -> None:
    """In whole numbers, so that the shifted logits are exact."""
    logits = torch.tensor([[3.0, -1.0, 2.0], [0.0, 5.0, -7.0]], dtype=dtype)
    targets = torch.tensor([0, 2])
    for shift in (-1024.0, 4096.0):
        results = []
        for values in (logits, logits + shift):
            leaf = values.clone().requires_grad_()
            loss = softmax_cross_entropy(leaf, targets)
            loss.backward()
            results.append((loss, leaf.grad))
        assert torch.equal(results[0][0], results[1][0])
        assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_logit_of_nan_or_infinity_gives_nan(poison: float) -> None:
    for column in range(4):
        logits = torch.zeros(3, 4)
        logits[1, column] = poison
        logits.requires_grad_()
        loss = softmax_cross_entropy(logits, torch.zeros(3, dtype=torch.int64))
        loss.backward()
        assert loss.isnan()
        assert logits.grad is not None
        assert logits.grad[1].isnan().all()
        assert logits.grad[[0, 2]].isfinite().all()


def test_minus_infinity_is_a_probability_of_zero() -> None:
    logits = torch.tensor([[0.0, -math.inf]])
    assert float(softmax_cross_entropy(logits, torch.tensor([0]))) == 0.0
    assert float(softmax_cross_entropy(logits, torch.tensor([1]))) == math.inf
    assert softmax_cross_entropy(torch.full((1, 2), -math.inf), torch.tensor([0])).isnan()


def test_a_squared_error_beyond_float32_is_infinite() -> None:
    outputs = torch.full((2,), 1e30).requires_grad_()
    loss = mean_squared_error(outputs, torch.zeros(2))
    loss.backward()
    assert loss.isinf()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_an_output_that_is_not_finite_gives_an_error_that_is_not(poison: float) -> None:
    outputs = torch.tensor([1.0, poison, 2.0]).requires_grad_()
    loss = mean_squared_error(outputs, torch.zeros(3))
    loss.backward()
    assert not loss.isfinite()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().tolist() == [True, False, True]


def test_a_mean_over_many_is_taken_in_float64() -> None:
    """Ten million times 0.1 in float32: a sum in float32 is off by a percent."""
    outputs = torch.full((10_000_000,), 0.1)
    assert float(mean_squared_error(outputs, torch.zeros_like(outputs))) == pytest.approx(
        0.01, rel=1e-6
    )


@pytest.mark.parametrize(
    ("loss", "targets"),
    [(softmax_cross_entropy, torch.tensor([1, 0, 2])), (mean_squared_error, torch.zeros(3, 4))],
)
def test_a_second_differentiation_is_refused(loss: Callable[..., Tensor], targets: Tensor) -> None:
    outputs = normal(3, 4).float().requires_grad_()
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(loss(outputs, targets), outputs, create_graph=True)
