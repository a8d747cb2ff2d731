"""The whole-sequence kernels against torch's own layers and against a loop under autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from bench.kernels.gru import gru
from bench.kernels.lstm import lstm
from bench.kernels.rnn import rnn
from bench.kernels.tap import Tap

SHAPES = [(7, 3, 5), (1, 1, 1), (1, 4, 3), (6, 1, 4), (5, 3, 1)]  # T, B, H


@dataclass(frozen=True)
class Cell:
    """A kernel, torch's layer with the same gates, and one step written from the equations."""

    gates: int
    kernel: Callable[..., Tensor]  # (projected, recurrent, bias, tap) -> states
    layer: Callable[[int, int], nn.RNNBase]  # (input size, hidden size)
    step: Callable[..., tuple[Tensor, ...]]  # (projected at t, recurrent, bias, *state) -> state


def plain_step(activation: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    return lambda p, w, _, h: (activation(p + h @ w.T),)


def lstm_step(p: Tensor, w: Tensor, _: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    i, f, g, o = (p + h @ w.T).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(p: Tensor, w: Tensor, bias: Tensor, h: Tensor) -> tuple[Tensor, ...]:
    (p_r, p_z, p_n), (u_r, u_z, u_n) = p.chunk(3, dim=1), (h @ w.T).chunk(3, dim=1)
    r, z = (p_r + u_r).sigmoid(), (p_z + u_z).sigmoid()
    n = (p_n + r * (u_n + bias)).tanh()
    return ((1 - z) * n + z * h,)


CELLS = {
    "tanh": Cell(1, lambda p, w, _, tap: rnn(p, w, "tanh", tap), nn.RNN, plain_step(torch.tanh)),
    "relu": Cell(
        1,
        lambda p, w, _, tap: rnn(p, w, "relu", tap),
        lambda i, h: nn.RNN(i, h, nonlinearity="relu"),
        plain_step(torch.relu),
    ),
    "lstm": Cell(4, lambda p, w, _, tap: lstm(p, w, tap), nn.LSTM, lstm_step),
    "gru": Cell(3, gru, nn.GRU, gru_step),
}


@dataclass(frozen=True)
class Problem:
    projected: Tensor  # [T, B, G H]
    recurrent: Tensor  # [G H, H]
    bias: Tensor  # [H], of the GRU's candidate; the others leave it alone
    cotangent: Tensor  # [T, B, H]: the loss is sum(cotangent * states)

    @property
    def leaves(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.projected, self.recurrent, self.bias


def problem(cell: Cell, shape: tuple[int, int, int], seed: int = 0) -> Problem:
    time, batch, hidden = shape
    generator = torch.Generator().manual_seed(seed)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    return Problem(
        normal(time, batch, cell.gates * hidden).requires_grad_(),
        (1.5 * normal(cell.gates * hidden, hidden) / hidden**0.5).requires_grad_(),
        normal(hidden).requires_grad_(),
        normal(time, batch, hidden),
    )


def torch_layer(cell: Cell, given: Problem) -> nn.RNNBase:
    """torch's layer with identity input weights, so that its input is our projection."""
    width, hidden = given.recurrent.shape
    layer = cell.layer(width, hidden).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.eye(width))
        layer.weight_hh_l0.copy_(given.recurrent)
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
        if cell.layer is nn.GRU:
            layer.bias_hh_l0[2 * hidden :] = given.bias
    return layer


def unrolled(cell: Cell, given: Problem) -> list[Tensor]:
    """h_t for every t, by a loop over the equations."""
    hidden = torch.zeros_like(given.cotangent[0])
    state: tuple[Tensor, ...] = (hidden, hidden) if cell.layer is nn.LSTM else (hidden,)
    states = []
    for projected in given.projected:
        state = cell.step(projected, given.recurrent, given.bias, *state)
        states.append(state[0])
    return states


each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@each_cell
@each_shape
def test_the_kernel_is_torchs_layer(cell: Cell, shape: tuple[int, int, int]) -> None:
    given = problem(cell, shape)
    states = cell.kernel(*given.leaves, Tap(watched=False))
    (states * given.cotangent).sum().backward()

    layer = torch_layer(cell, given)
    inputs = given.projected.detach().requires_grad_()
    expected = layer(inputs)[0]
    (expected * given.cotangent).sum().backward()

    torch.testing.assert_close(states, expected)
    torch.testing.assert_close(given.projected.grad, inputs.grad)
    torch.testing.assert_close(given.recurrent.grad, layer.weight_hh_l0.grad)
    if cell.layer is nn.GRU:
        candidate = layer.bias_hh_l0.grad[2 * shape[2] :]
        torch.testing.assert_close(given.bias.grad, candidate)


@each_cell
@each_shape
def test_the_total_derivative_is_that_of_an_unrolled_loop(
    cell: Cell, shape: tuple[int, int, int]
) -> None:
    given = problem(cell, shape)
    tap = Tap(watched=True)
    (cell.kernel(*given.leaves, tap) * given.cotangent).sum().backward()

    states = unrolled(cell, given)
    for state in states:
        state.retain_grad()
    (torch.stack(states) * given.cotangent).sum().backward()
    expected = torch.stack([state.grad for state in states])

    torch.testing.assert_close(tap.total_derivative(), expected)
    # At the last step there is nothing but the direct derivative.
    assert torch.equal(tap.total_derivative()[-1], given.cotangent[-1])


@each_cell
def test_derivatives_by_finite_differences(cell: Cell) -> None:
    given = problem(cell, (4, 2, 3))
    leaves = given.leaves if cell.layer is nn.GRU else given.leaves[:2]

    def kernel(*leaves: Tensor) -> Tensor:
        return cell.kernel(*leaves, *given.leaves[len(leaves) :], Tap(watched=False))

    assert torch.autograd.gradcheck(kernel, leaves)


@each_cell
def test_a_second_differentiation_is_refused(cell: Cell) -> None:
    given = problem(cell, (3, 2, 3))
    states = cell.kernel(*given.leaves, Tap(watched=False))
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(states.sum(), given.projected, create_graph=True)


@each_cell
def test_an_unwatched_pass_keeps_nothing(cell: Cell) -> None:
    given = problem(cell, (3, 2, 3))
    tap = Tap(watched=False)
    cell.kernel(*given.leaves, tap).sum().backward()
    assert tap.gradient is None
    with pytest.raises(RuntimeError, match="not watched"):
        tap.total_derivative()


@each_cell
@pytest.mark.parametrize("poison", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_what_is_not_finite_goes_where_the_equations_say(cell: Cell, poison: float) -> None:
    given = problem(cell, (6, 3, 4))
    with torch.no_grad():
        given.projected[2, 1] = poison
        states = cell.kernel(*given.leaves, Tap(watched=False))
        expected = torch.stack(unrolled(cell, given))
    torch.testing.assert_close(states, expected, equal_nan=True)


@each_cell
def test_nan_spreads_over_its_own_sequence_and_no_other(cell: Cell) -> None:
    clean, poisoned = problem(cell, (6, 3, 4)), problem(cell, (6, 3, 4))
    with torch.no_grad():
        poisoned.projected[2, 1] = float("nan")
    before = cell.kernel(*clean.leaves, Tap(watched=False))
    after = cell.kernel(*poisoned.leaves, Tap(watched=False))
    assert after[2:, 1].isnan().all()
    untouched = torch.ones(6, 3, dtype=torch.bool)
    untouched[2:, 1] = False
    assert torch.equal(before[untouched], after[untouched])


@each_cell
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_derivative_that_is_not_finite_reaches_the_weights(cell: Cell, poison: float) -> None:
    given = problem(cell, (6, 3, 4))
    given.cotangent[4, 1] = poison
    tap = Tap(watched=True)
    cell.kernel(*given.leaves, tap).backward(given.cotangent)
    assert not given.recurrent.grad.isfinite().all()
    finite = tap.total_derivative().isfinite().all(dim=2)
    assert not finite[:5, 1].any()
    assert finite[:, [0, 2]].all()
    assert finite[5].all()
