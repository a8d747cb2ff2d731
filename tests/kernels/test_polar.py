"""Complex numbers by modulus and angle, against NumPy in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.kernels.polar import cosine_and_sine, exponential

ANGLES = torch.cat(
    [torch.linspace(-40, 40, 4001), torch.arange(-16, 17) * (math.pi / 4), torch.tensor([-0.0])]
).double()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cosine_and_sine_are_numpys(dtype: torch.dtype) -> None:
    angles = ANGLES.to(dtype)
    tolerance = 2 * torch.finfo(dtype).eps + 40 * torch.finfo(torch.float64).eps
    for ours, theirs in zip(cosine_and_sine(angles), (np.cos, np.sin), strict=True):
        assert ours.dtype == dtype
        error = ours.double().numpy() - theirs(angles.double().numpy())
        assert np.abs(error).max() < tolerance


def test_they_are_each_others_derivatives() -> None:
    angles = ANGLES.clone().requires_grad_()
    cosine, sine = cosine_and_sine(angles)
    (of_cosine,) = torch.autograd.grad(cosine.sum(), angles, retain_graph=True)
    (of_sine,) = torch.autograd.grad(sine.sum(), angles)
    assert torch.equal(of_cosine, -sine)
    assert torch.equal(of_sine, cosine)


def test_the_exponential_is_its_own_derivative() -> None:
    values = torch.linspace(-30, 30, 101, dtype=torch.float64, requires_grad=True)
    result = exponential(values)
    torch.testing.assert_close(result, torch.exp(values), rtol=1e-14, atol=0)
    (gradient,) = torch.autograd.grad(result.sum(), values)
    assert torch.equal(gradient, result)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_angle_that_is_not_finite_has_none(value: float) -> None:
    for part in cosine_and_sine(torch.tensor([value, 0.5])):
        assert part.isnan().tolist() == [True, False]


@pytest.mark.parametrize("function", [exponential, lambda x: cosine_and_sine(x)[0]])
def test_a_second_differentiation_is_refused(function) -> None:  # type: ignore[no-untyped-def]
    values = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(function(values).sum(), values, create_graph=True)
