"""Norms that must not overflow or underflow, and scaling that keeps the direction."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.kernels.norms import is_finite, norm, row_norms, scale_, sum_of_squares
from tests.kernels.arithmetic import each_arithmetic

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]
SMALLEST = 2.0**-149  # float32 above zero
LARGEST = float(torch.finfo(torch.float32).max)
repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=200)

thresholds = st.floats(SMALLEST, LARGEST, width=32)
float32s = st.builds(math.copysign, st.floats(0, LARGEST, width=32), st.sampled_from([1.0, -1.0]))


def vector(values: list[float], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("value", [1e-45, 1e-40, 1e-20, 1.0, 1e20, 1e38, -LARGEST])
def test_the_norm_of_equal_float32_numbers(value: float, size: int) -> None:
    exact = abs(float(torch.tensor(value, dtype=torch.float32))) * math.sqrt(size)
    assert norm(vector([value] * size)) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("value", [5e-324, 1e-310, 1e-300, 1e300, 1e307])
def test_the_norm_of_equal_float64_numbers(value: float) -> None:
    assert norm(vector([value] * 9, torch.float64)) == pytest.approx(3 * value, rel=1e-14)


def test_a_norm_beyond_float64_is_the_largest_float() -> None:
    assert norm(vector([1.7e308] * 9, torch.float64)) == sys.float_info.max


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_norm_is_not_finite_only_where_an_element_is_not(dtype: torch.dtype) -> None:
    assert norm(vector([], dtype)) == 0.0
    assert norm(vector([0.0, -0.0], dtype)) == 0.0
    assert norm(vector([1.0, math.inf], dtype)) == math.inf
    assert norm(vector([1.0, -math.inf], dtype)) == math.inf
    assert math.isnan(norm(vector([1.0, math.nan], dtype)))
    assert math.isnan(norm(vector([math.inf, math.nan, -math.inf], dtype)))
    largest = float(torch.finfo(dtype).max)
    assert math.isfinite(norm(vector([largest] * 100, dtype)))


@repeatable
@given(st.lists(float32s, max_size=40))
@example([1e-45, 1e38])
def test_the_norm_is_that_of_exact_arithmetic(values: list[float]) -> None:
    gradient = vector(values)
    squares = sum(Fraction(value) ** 2 for value in gradient.tolist())
    found = Fraction(norm(gradient))
    # Compare squares: the root of a fraction is not one.
    assert abs(found**2 - squares) <= Fraction(1e-13) * squares


@repeatable
@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_the_norm_of_float64_is_the_hypotenuse(values: list[float]) -> None:
    found = norm(vector(values, torch.float64))
    assert found == pytest.approx(math.hypot(*values), rel=1e-13, abs=5e-324)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_norm_is_of_all_dimensions(dtype: torch.dtype) -> None:
    block = torch.arange(24, dtype=dtype).reshape(2, 3, 4)
    expected = math.sqrt(sum(i * i for i in range(24)))
    assert norm(block) == pytest.approx(expected, rel=1e-14)
    assert norm(block.transpose(0, 2)) == pytest.approx(expected, rel=1e-14)


@repeatable
@given(st.lists(float32s, min_size=1, max_size=20), thresholds)
@example([3e38] * 20, 1e-45)
@example([1e20, -1e20], 1.0)
@example([1e-45, 3e38], 1e-38)
def test_clipping_ends_at_the_threshold_and_keeps_the_direction(
    values: list[float], threshold: float
) -> None:
    gradient = vector(values)
    before = norm(gradient)
    if before <= threshold:
        return
    factor = threshold / before
    clipped = gradient.clone()
    scale_([clipped], factor)
    half_a_step = SMALLEST / 2  # of the denormal numbers
    assert norm(clipped) <= threshold * (1 + 2**-22) + half_a_step * math.sqrt(len(values))
    for was, now in zip(gradient.tolist(), clipped.tolist(), strict=True):
        exact = Fraction(was) * Fraction(factor)
        assert abs(Fraction(now) - exact) <= abs(exact) * Fraction(2) ** -22 + Fraction(half_a_step)


@pytest.mark.parametrize("exponent", [0, 1, 20, 99, 100, 101, 149, 200, 250])
def test_powers_of_two_are_exact(exponent: int) -> None:
    gradient = torch.ldexp(torch.tensor([1.0, -1.5, 0.75]), torch.tensor(120))
    expected = torch.tensor([math.ldexp(float(g), -exponent) for g in gradient])
    scale_([gradient], 2.0**-exponent)
    assert torch.equal(gradient, expected)


def test_every_tensor_is_scaled_in_place_also_through_a_generator() -> None:
    tensors = [torch.ones(2), torch.full((3,), 4.0, dtype=torch.float64)]
    for factor, expected in ((0.5, (0.5, 2.0)), (1e-45, (5e-46, 2e-45)), (0.0, (0.0, 0.0))):
        scale_((tensor for tensor in tensors), factor)
        for tensor, value in zip(tensors, expected, strict=True):
            assert tensor.tolist() == pytest.approx([value] * len(tensor), abs=SMALLEST)


def test_scaling_by_one_changes_no_bit() -> None:
    gradient = torch.tensor([1e-45, -0.0, 1 / 3, LARGEST, math.inf])
    before = gradient.clone()
    scale_([gradient], 1.0)
    assert torch.equal(gradient.view(torch.int32), before.view(torch.int32))


def test_is_finite() -> None:
    assert is_finite(torch.tensor([]))
    assert is_finite(torch.tensor([LARGEST, -LARGEST, 1e-45]))
    for poison in (math.inf, -math.inf, math.nan):
        for place in range(3):
            values = torch.ones(3)
            values[place] = poison
            assert not is_finite(values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_row_norms_are_the_norms_of_the_rows(dtype: torch.dtype) -> None:
    table = vector([3, 4, 1e30, 1e30, 0, 0, math.inf, 1, math.nan, 1], dtype).reshape(5, 2)
    expected = [5.0, norm(table[1]), 0.0, math.inf, math.nan]
    assert row_norms(table).tolist() == pytest.approx(expected, rel=1e-15, nan_ok=True)
    assert row_norms(table).dtype == torch.float64
    columns = [norm(column) for column in table[:3].T]
    assert row_norms(table[:3].T).tolist() == pytest.approx(columns, rel=1e-15)
    assert row_norms(table[:0]).tolist() == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_sum_of_squares_and_its_derivative(dtype: torch.dtype) -> None:
    values = torch.linspace(-2, 3, 41, dtype=dtype).requires_grad_()
    total = sum_of_squares(values)
    (5 * total).backward()
    assert total.dtype == dtype
    exact = sum(Fraction(value) ** 2 for value in values.tolist())
    assert float(total.detach()) == pytest.approx(
        float(exact), rel=1e-7 if dtype == torch.float32 else 1e-14
    )
    torch.testing.assert_close(values.grad, 10 * values.detach())


def test_the_sum_of_squares_by_finite_differences() -> None:
    values = torch.linspace(-2, 3, 12, dtype=torch.float64).reshape(3, 4).mT.requires_grad_()
    assert torch.autograd.gradcheck(sum_of_squares, values)
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(sum_of_squares(values), values, create_graph=True)


def test_the_sum_of_squares_is_taken_in_float64() -> None:
    """A million squares of 1e-4 beside one of 1: in float32 none of them would count."""
    values = torch.full((1_000_001,), 1e-4)
    values[0] = 1.0
    assert float(sum_of_squares(values)) == pytest.approx(1.01, rel=1e-6)
    assert float(sum_of_squares(torch.tensor([1e30, 1.0]))) == math.inf
