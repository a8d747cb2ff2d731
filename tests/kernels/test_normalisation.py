"""Layer normalisation against torch's own, its invariances, and its range."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.kernels.normalisation import layer_norm
from tests.kernels.arithmetic import each_arithmetic

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]
EPS = 1e-5
each_shape = pytest.mark.parametrize("shape", [(3, 5), (1, 1), (4, 2, 7), (6,), (0, 3)], ids=str)


def leaves(*shape: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = (shape, shape[-1:], shape[-1:])
    drawn = (torch.randn(size, generator=generator, dtype=dtype) for size in sizes)
    return [tensor.requires_grad_() for tensor in drawn]


@each_shape
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-11)], ids=["32", "64"]
)
def test_it_is_torchs(shape: tuple[int, ...], dtype: torch.dtype, tolerance: float) -> None:
    mine, theirs = leaves(*shape, dtype=dtype), leaves(*shape, dtype=dtype)
    found = layer_norm(*mine, EPS)
    expected = F.layer_norm(theirs[0], shape[-1:], theirs[1], theirs[2], EPS)
    cotangent = torch.linspace(-1, 2, found.numel(), dtype=dtype).reshape(found.shape)
    found.backward(cotangent)
    expected.backward(cotangent)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 3), (4, 1)], ids=str)
def test_derivatives_by_finite_differences(shape: tuple[int, ...]) -> None:
    assert torch.autograd.gradcheck(lambda *given: layer_norm(*given, EPS), leaves(*shape))


def test_shift_and_scale_of_a_row_change_nothing() -> None:
    values, gain, bias = (tensor.detach() for tensor in leaves(4, 9))
    expected = layer_norm(values, gain, bias, 0.0)
    for shift, scale in ((3.0, 1.0), (0.0, 1e6), (-2.0, 1e-6)):
        found = layer_norm(shift + scale * values, gain, bias, 0.0)
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(layer_norm(-values, gain, bias, 0.0), 2 * bias - expected)


@pytest.mark.parametrize("value", [0.0, 1.5, -1e30])
def test_a_row_of_equal_numbers_becomes_the_bias(value: float) -> None:
    _, gain, bias = (tensor.detach().float() for tensor in leaves(2, 8))
    assert torch.equal(layer_norm(torch.full((2, 8), value), gain, bias, EPS), bias.expand(2, 8))


def test_rows_whose_squares_leave_float32_are_normalised() -> None:
    row = torch.tensor([[-1.0, 0.0, 1.0]])
    root = math.sqrt(1.5)
    for scale in (1e25, 1e-25):
        found = layer_norm(row * scale, torch.ones(3), torch.zeros(3), 0.0)
        assert found.tolist()[0] == pytest.approx([-root, 0, root], rel=1e-6)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_what_is_not_finite_spoils_its_own_row(poison: float) -> None:
    values, gain, bias = leaves(3, 5)
    with torch.no_grad():
        values[1, 2] = poison
    found = layer_norm(values, gain, bias, EPS)
    found.sum().backward()
    assert found.isfinite().all(dim=1).tolist() == [True, False, True]
    assert values.grad is not None
    assert values.grad.isfinite().all(dim=1).tolist() == [True, False, True]


def test_the_order_of_memory_does_not_matter() -> None:
    values, gain, bias = leaves(4, 6)
    turned = values.detach().mT.contiguous().mT
    spread = gain.detach().repeat_interleave(2)[::2]
    assert torch.equal(layer_norm(turned, spread, bias, EPS), layer_norm(values, gain, bias, EPS))


def test_a_second_differentiation_is_refused() -> None:
    values, gain, bias = leaves(3, 5)
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(layer_norm(values, gain, bias, EPS).sum(), values, create_graph=True)
