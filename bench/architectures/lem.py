"""Long expressive memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.architectures._recurrent import State
from bench.architectures._rollout import (
    SIGMOID,
    TANH,
    Flow,
    RolledNetwork,
    Rule,
    constant,
    earlier,
    evaluate_,
    outer,
    product,
)
from bench.kernels.elementwise import sigmoid, tanh
from bench.kernels.layers import linear
from bench.records import Signature
from bench.settings import Gain, Positive, PositiveInt


class _Rule(Rule):
    """Blocks of projected inputs and weights: y's time step, z's time step, z, y."""

    def __init__(self, step_size: float) -> None:
        self.dt = step_size

    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (matrix,), (y, z), hidden = weights, start, start[0].shape[1]
        steps, batch, _ = projected.shape
        slow, fast, inner, last = (projected.new_empty(steps, batch, hidden) for _ in range(4))
        rates, keep = (projected.new_empty(steps, batch, 2 * hidden) for _ in range(2))
        dt, one = constant(self.dt, projected), constant(1.0, projected)
        from_y, from_z = matrix[: 3 * hidden], matrix[3 * hidden :]
        p_y, p_z = projected[..., : 3 * hidden], projected[..., 3 * hidden :]
        for t in range(steps):
            before = p_y[t] + product(y, from_y)
            gates = evaluate_(SIGMOID, before[:, : 2 * hidden].contiguous())
            to_y, to_z = torch.mul(gates, dt, out=rates[t]).chunk(2, dim=1)
            keep_y, keep_z = torch.sub(one, rates[t], out=keep[t]).chunk(2, dim=1)
            candidate = evaluate_(TANH, inner[t].copy_(before[:, 2 * hidden :]))
            z = torch.add(keep_z * z, to_z * candidate, out=fast[t])
            candidate = evaluate_(TANH, torch.add(p_z[t], product(z, from_z), out=last[t]))
            y = torch.add(keep_y * y, to_y * candidate, out=slow[t])
        return slow, fast, rates, keep, inner, last

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (matrix,), (slow, fast, rates, keep, inner, last) = weights, kept
        hidden = slow.shape[2]
        from_y = matrix[: 3 * hidden].t().contiguous()
        from_z = matrix[3 * hidden :].t().contiguous()
        to_y, to_z = rates.chunk(2, dim=2)
        slow_before, fast_before = earlier(slow), earlier(fast)
        # dL/dy_t, and dL/dz_t, to dL/d of each block before its function: all steps at once.
        slopes = rates * (1 - rates / self.dt)
        y_to_step = (last - slow_before) * slopes[..., :hidden]
        z_to_step = (inner - fast_before) * slopes[..., hidden:]
        y_to_after, z_to_after = to_y * (1 - last * last), to_z * (1 - inner * inner)
        keep_y, keep_z = keep.chunk(2, dim=2)
        deltas = rates.new_empty(*slow.shape[:2], 3 * hidden)
        last_deltas = torch.empty_like(slow)
        later_y, later_z = torch.zeros_like(slow[0]), torch.zeros_like(slow[0])
        for t in reversed(range(len(slow))):
            grad_y = flow.total(t, later_y)
            delta = torch.mul(grad_y, y_to_after[t], out=last_deltas[t])
            grad_z = later_z + product(delta, from_z)
            torch.mul(grad_y, y_to_step[t], out=deltas[t, :, :hidden])
            torch.mul(grad_z, z_to_step[t], out=deltas[t, :, hidden : 2 * hidden])
            torch.mul(grad_z, z_to_after[t], out=deltas[t, :, 2 * hidden :])
            later_y = grad_y * keep_y[t] + product(deltas[t], from_y)
            later_z = grad_z * keep_z[t]
        gradient = torch.cat([outer(deltas, slow_before), outer(last_deltas, fast)])
        return torch.cat([deltas, last_deltas], dim=2), gradient


class _Network(RolledNetwork):
    gates = ("y_step", "z_step", "z", "y")
    states = ("", "z")

    def __init__(self, signature: Signature, settings: LEM) -> None:
        super().__init__(signature, settings)
        self.step_size, self.rule = settings.step_size, _Rule(settings.step_size)

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (y, z), (matrix,), hidden = state, weights, self.hidden_size
        first = inputs[:, : 3 * hidden] + linear(self.feedback(layer, y), matrix[: 3 * hidden])
        for_y, for_z, inner = (
            self.at("preactivation", layer, gate, block)
            for gate, block in zip(self.gates, first.chunk(3, dim=1), strict=False)
        )
        to_z = sigmoid(for_z) * self.step_size
        z = (1 - to_z) * z + to_z * tanh(inner)
        last = inputs[:, 3 * hidden :] + linear(z, matrix[3 * hidden :])
        to_y = sigmoid(for_y) * self.step_size
        last = self.at("preactivation", layer, "y", last)
        return (1 - to_y) * y + to_y * tanh(last), z


@dataclass(frozen=True, kw_only=True)
class LEM:
    """Long expressive memory: two states, each of which learns its own time step.

    d_t = dt sigmoid(W_1 y_{t-1} + V_1 x_t + b_1),  e_t = dt sigmoid(W_2 y_{t-1} + V_2 x_t + b_2)
    z_t = (1 - e_t) z_{t-1} + e_t tanh(W_z y_{t-1} + V_z x_t + b_z)
    y_t = (1 - d_t) y_{t-1} + d_t tanh(W_y z_t + V_y x_t + b_y),  h_t = y_t

    `step_size` is dt: both time steps lie in (0, dt), and at dt <= 1 the states in [-1, 1]. The
    authors' run on adding has dt 0.0242 and 128 units. The gates here are no forget gates: a
    larger bias keeps less. `kind` and `gain` are those of the four W; the
    authors' code draws all weights from U[-H^-1/2, H^-1/2], whose variance a gain of 0.58 has.
    Each layer has 4 H (I + H + 1) parameters.

    Reference: Rusch, Mishra, Erichson & Mahoney 2022, arXiv:2110.04744, eq. 3.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 4
    provides: ClassVar[tuple[str, ...]] = (
        "square_weights",
        "recurrent_weights",
        "preactivation",
        "state",
        "feedback",
        "hidden_states",
        "carry",
    )
    portable: ClassVar[bool] = True
    dispatch: ClassVar[int] = 400

    hidden_size: PositiveInt
    num_layers: PositiveInt
    step_size: Positive
    kind: Literal["gaussian", "orthogonal", "identity"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
