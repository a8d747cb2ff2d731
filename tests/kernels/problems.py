"""Recurrent layers to try the kernels on, torch's own with the same weights, and a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from bench.kernels import sequence
from bench.kernels.sequence import whole_sequence
from bench.kernels.tap import Tap, Watch

Step = Callable[..., tuple[Tensor, ...]]
"""(W_in x_t + b, W, candidate's bias, *state) -> state."""


@dataclass(frozen=True)
class Cell:
    kernel: sequence.Cell
    layer: Callable[[int, int], nn.RNNBase]  # (input size, hidden size)
    step: Step  # from the equations
    states: int = 1

    @property
    def gates(self) -> int:
        return self.kernel.gates


def plain_step(activation: Callable[[Tensor], Tensor]) -> Step:
    return lambda p, w, _, h: (activation(p + h @ w.T),)


class LinearLayer(nn.RNN):
    """Torch has no linear recurrence: h_t = sum over s <= t of W^(t-s) (W_in x_s + b)."""

    def forward(self, inputs: Tensor, _: Tensor | None = None) -> tuple[Tensor, Tensor]:
        projected = inputs @ self.weight_ih_l0.T + self.bias_ih_l0
        powers = [torch.linalg.matrix_power(self.weight_hh_l0, k) for k in range(len(inputs))]
        states = [
            torch.stack([projected[s] @ powers[t - s].T for s in range(t + 1)]).sum(dim=0)
            for t in range(len(inputs))
        ]
        return torch.stack(states), states[-1][None]


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
    "tanh": Cell(sequence.RNN_TANH, nn.RNN, plain_step(torch.tanh)),
    "relu": Cell(
        sequence.RNN_RELU, lambda i, h: nn.RNN(i, h, nonlinearity="relu"), plain_step(torch.relu)
    ),
    "linear": Cell(sequence.RNN_LINEAR, LinearLayer, plain_step(lambda before: before)),
    "lstm": Cell(sequence.LSTM, nn.LSTM, lstm_step, states=2),
    "gru": Cell(sequence.GRU, nn.GRU, gru_step),
}
each_cell = pytest.mark.parametrize("cell", list(CELLS.values()), ids=list(CELLS))


@dataclass(frozen=True)
class Problem:
    """The loss is the sum of cotangent x states, over the last steps."""

    cell: Cell
    inputs: Tensor  # [T, B, I]
    weights: tuple[Tensor, ...]  # W_in [G H, I], W [G H, H], b [G H]; the GRU's candidate's [H]
    cotangent: Tensor  # [last, B, H]

    @property
    def leaves(self) -> tuple[Tensor, ...]:
        return self.inputs, *self.weights

    def states(self, tap: Tap | None = None, segment: int | None = None) -> Tensor:
        tap = Tap(Watch.NOTHING) if tap is None else tap
        last = len(self.cotangent)
        kernel = self.cell.kernel
        return whole_sequence(kernel, self.inputs, self.weights, tap, last=last, segment=segment)

    def derivatives(self, watch: Watch = Watch.GRADIENTS, segment: int | None = None) -> Found:
        """By the kernel, forward and backward."""
        tap = Tap(watch)
        states = self.states(tap, segment)
        gradients = torch.autograd.grad(states, self.leaves, self.cotangent)
        return Found(states, gradients, tap)

    def unrolled(self) -> list[Tensor]:
        """h_t of every step, by a loop over the equations under autograd."""
        input_weight, weight, bias, *candidate = self.weights
        start = self.inputs.new_zeros(self.inputs.shape[1], weight.shape[1])
        state: tuple[Tensor, ...] = (start,) * self.cell.states
        states = []
        for x in self.inputs:
            projected = x @ input_weight.T + bias
            state = self.cell.step(projected, weight, *(candidate or [None]), *state)
            states.append(state[0])
        return states

    def torchs(self) -> nn.RNNBase:
        """torch's own layer with these weights."""
        input_weight, weight, bias, *candidate = self.weights
        hidden = weight.shape[1]
        layer = self.cell.layer(input_weight.shape[1], hidden).to(weight.dtype)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(input_weight)
            layer.weight_hh_l0.copy_(weight)
            layer.bias_ih_l0.copy_(bias)
            layer.bias_hh_l0.zero_()
            for values in candidate:
                layer.bias_hh_l0[2 * hidden :] = values
        return layer


@dataclass(frozen=True)
class Found:
    states: Tensor
    gradients: tuple[Tensor, ...]  # of the leaves
    tap: Tap

    def all(self) -> list[Tensor]:
        watched = [self.tap.total_derivative(), self.tap.derivative_norms()]
        return [self.states, *self.gradients, *watched]


def problem(
    cell: Cell,
    shape: tuple[int, int, int, int],
    *,
    last: int | None = None,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
    gain: float = 1.5,
) -> Problem:
    """`shape` is steps, batch, inputs, hidden."""
    steps, batch, inputs, hidden = shape
    generator = torch.Generator().manual_seed(seed)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64).to(dtype)

    rows = cell.gates * hidden
    weights = [
        normal(rows, inputs),
        gain * normal(rows, hidden) / hidden**0.5,
        0.5 * normal(rows),
        *([normal(hidden)] if cell.kernel is sequence.GRU else []),
    ]
    return Problem(
        cell,
        normal(steps, batch, inputs).requires_grad_(),
        tuple(weight.requires_grad_() for weight in weights),
        normal(steps if last is None else last, batch, hidden),
    )
