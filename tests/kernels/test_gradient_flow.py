"""How derivatives grow along a sequence, where that is known in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from bench.kernels.norms import norm
from bench.kernels.sequence import LSTM, RNN_RELU, RNN_TANH, Cell, whole_sequence
from bench.kernels.tap import Tap, Watch
from tests.kernels.arithmetic import each_arithmetic

pytestmark = [each_arithmetic, pytest.mark.usefixtures("on")]


def through(cell: Cell, projected: Tensor, recurrent: Tensor, tap: Tap) -> Tensor:
    """The last state [B, H], from p_t = W_in x_t + b given as such."""
    width = projected.shape[2]
    weights = torch.eye(width).double(), recurrent, torch.zeros(width).double()
    return whole_sequence(cell, projected, weights, tap, last=1)[0]


def derivative_norms(tap: Tap) -> list[float]:
    """|dL/dh_t|, from the last step back to the first."""
    norms: list[float] = tap.derivative_norms().flip(0).tolist()
    return norms


def rectified_but_open(recurrent: Tensor, steps: int, batch: int) -> Tensor:
    """Projected inputs that hold every ReLU state at 1, so that the network is linear around it."""
    projected = (1 - recurrent.sum(dim=1)).repeat(steps, batch, 1)
    projected[0] = 1
    return projected.requires_grad_()


@pytest.mark.parametrize("index", [0, 2, 5])
def test_through_k_steps_of_a_linear_network_the_gradient_grows_by_a_singular_value_of_w_to_the_k(
    index: int,
) -> None:
    generator = torch.Generator().manual_seed(0)
    recurrent = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    for k in (1, 3, 8):
        # dL/dh_{T-k} = (W^T)^k dL/dh_T: a left singular vector of W^k grows by its singular value.
        left, values, _ = torch.linalg.svd(torch.linalg.matrix_power(recurrent, k))
        tap = Tap(Watch.NORMS)
        projected = rectified_but_open(recurrent, k + 1, 1)
        through(RNN_RELU, projected, recurrent, tap)[0].backward(left[:, index])
        assert derivative_norms(tap)[k] == pytest.approx(float(values[index]), rel=1e-9)


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.1])
def test_a_scaled_rotation_grows_every_gradient_by_the_gain_at_every_step(gain: float) -> None:
    generator = torch.Generator().manual_seed(0)
    rotation, _ = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64))
    tap = Tap(Watch.NORMS)
    projected = rectified_but_open(gain * rotation, 200, 3)
    cotangent = torch.randn(3, 8, generator=generator, dtype=torch.float64)
    through(RNN_RELU, projected, gain * rotation, tap).backward(cotangent)
    expected = [norm(cotangent) * gain**k for k in range(200)]
    assert derivative_norms(tap) == pytest.approx(expected, rel=1e-10)


def test_the_derivative_of_a_tanh_network_is_bounded_by_the_largest_singular_value() -> None:
    """Pascanu et al. 2013, section 2.1: |f'| <= 1, so each step grows at most by |W|."""
    generator = torch.Generator().manual_seed(0)
    recurrent = torch.randn(16, 16, generator=generator, dtype=torch.float64) / 4
    projected = torch.randn(50, 4, 16, generator=generator, dtype=torch.float64)
    tap = Tap(Watch.NORMS)
    through(RNN_TANH, projected.requires_grad_(), recurrent, tap).sum().backward()
    norms = derivative_norms(tap)
    largest = float(torch.linalg.matrix_norm(recurrent, 2))
    for later, earlier in pairwise(norms):
        assert earlier <= later * largest * (1 + 1e-12)


def cell_gradients(forget: float, steps: int) -> Tensor:
    """dL/dp of the candidate gate at each step: dL/dc_t times i (1 - g^2), the same at all steps.

    No recurrent weights, so that the cell is the one path back.
    """
    i, g, o = -10.0, 0.4, -0.2  # hardly open, or the cell would fill up and saturate
    projected = torch.tensor([i, forget, g, o], dtype=torch.float64).repeat(steps, 1, 1)
    recurrent = torch.zeros(4, 1, dtype=torch.float64)
    projected.requires_grad_()
    through(LSTM, projected, recurrent, Tap(Watch.NOTHING)).sum().backward()
    assert projected.grad is not None
    return projected.grad[:, 0, 2]


def test_an_open_forget_gate_keeps_the_error_for_ever() -> None:
    """The constant error carousel of Hochreiter & Schmidhuber 1997."""
    gradients = cell_gradients(forget=1e3, steps=1000)
    assert float(gradients[0]) != 0
    assert torch.equal(gradients, gradients[:1].expand(1000))


@pytest.mark.parametrize("forget", [-1.0, 0.0, 3.0])
def test_a_leaking_forget_gate_loses_its_share_at_every_step(forget: float) -> None:
    gradients = cell_gradients(forget, steps=30)
    kept = 1 / (1 + math.exp(-forget))
    expected = [float(gradients[-1]) * kept**k for k in reversed(range(30))]
    assert gradients.tolist() == pytest.approx(expected, rel=1e-12)
