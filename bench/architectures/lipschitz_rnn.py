"""The Lipschitz recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.architectures._recurrent import State
from bench.architectures._rollout import (
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
from bench.kernels.elementwise import tanh
from bench.kernels.layers import linear
from bench.network import Role
from bench.records import Signature
from bench.settings import Annotated, Gain, NonNegative, Positive, PositiveInt, Range


class _Rule(Rule):
    def __init__(self, step_size: float) -> None:
        self.step_size = step_size

    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (matrix,), (h,), eps = weights, start, constant(self.step_size, projected)
        hidden = h.shape[1]
        states, after = torch.empty_like(projected), torch.empty_like(projected)
        for p, state, rate in zip(projected, states, after, strict=True):
            both = product(h, matrix)
            evaluate_(TANH, torch.add(p, both[:, hidden:], out=rate))
            h = torch.add(h, (both[:, :hidden] + rate) * eps, out=state)
        return states, after

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (matrix,), (states, after) = weights, kept
        (steps, batch, hidden), eps = states.shape, constant(self.step_size, states)
        transposed, slopes = matrix.t().contiguous(), 1 - after * after
        deltas, later = states.new_empty(steps, batch, 2 * hidden), torch.zeros_like(states[0])
        for t in reversed(range(steps)):
            grad = flow.total(t, later)
            to_rate = torch.mul(grad, eps, out=deltas[t, :, :hidden])
            torch.mul(to_rate, slopes[t], out=deltas[t, :, hidden:])
            later = grad + product(deltas[t], transposed)
        return deltas[..., hidden:].contiguous(), outer(deltas, earlier(states))


class _Network(RolledNetwork):
    gates = ("",)

    def __init__(self, signature: Signature, settings: LipschitzRNN) -> None:
        super().__init__(signature, settings)
        self.step_size, self.beta, self.gamma = settings.step_size, settings.beta, settings.gamma
        self.rule = _Rule(settings.step_size)

    def declare_layer(self, layer: int, columns: int, settings: Any) -> None:
        hidden = self.hidden_size
        role = Role(name="input", layer=layer, kind="gaussian")
        self.declare(f"input_{layer}", (hidden, columns), role)
        for part in ("linear", "nonlinear"):
            gates = (part,)  # so that the two start from other numbers
            role = Role(
                name="generator", layer=layer, gates=gates, kind="gaussian", gain=settings.gain
            )
            self.declare(f"{part}_generator_{layer}", (hidden, hidden), role)
        self.declare(f"bias_{layer}", (hidden,), Role(name="bias", layer=layer))

    def matrix(self, generator: Tensor) -> Tensor:
        """beta (M - M^T) + (1 - beta) (M + M^T) - gamma I."""
        transposed = generator.t()
        skew, symmetric = generator - transposed, generator + transposed
        damping = self.gamma * torch.eye(len(generator), dtype=generator.dtype)
        return self.beta * skew + (1 - self.beta) * symmetric - damping

    def weights(self, layer: int) -> list[Tensor]:
        parts = [self.tensor(f"{part}_generator_{layer}") for part in ("linear", "nonlinear")]
        stacked = torch.cat([self.matrix(part) for part in parts])
        return [self.tensor(f"input_{layer}"), stacked, self.tensor(f"bias_{layer}")]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,), (stacked,) = state, weights
        drift, rest = linear(self.feedback(layer, before), stacked).chunk(2, dim=1)
        (z,) = self.preactivations(layer, inputs + rest)
        return (before + (drift + tanh(z)) * self.step_size,)


@dataclass(frozen=True, kw_only=True)
class LipschitzRNN:
    """A linear drift and a nonlinear one, both kept near skew-symmetric, stepped by Euler's rule.

    h_t = h_{t-1} + eps (A h_{t-1} + tanh(W h_{t-1} + W_in x_t + b))
    A = beta (M - M^T) + (1 - beta) (M + M^T) - gamma I,  W likewise from a matrix of its own

    beta and gamma bound the real parts of the eigenvalues of A and W: the symmetric part of each is
    (1 - beta) (M + M^T) - gamma I. At beta = 1 it is -gamma I. Erichson et al. use beta 0.75, gamma
    0.001 and eps (`step_size`) 0.03 on pixels. Both M start at N(0, gain^2 / H), which is this
    suite's scale and not the paper's; rules for square matrices do not act on M. Each layer has
    2 H^2 + H I + H parameters.

    Reference: Erichson, Azencot, Queiruga, Hodgkinson & Mahoney 2021, arXiv:2006.12070.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 1
    provides: ClassVar[tuple[str, ...]] = (
        "preactivation",
        "state",
        "feedback",
        "hidden_states",
        "carry",
    )
    portable: ClassVar[bool] = True
    dispatch: ClassVar[int] = 180

    hidden_size: PositiveInt
    num_layers: PositiveInt
    step_size: Positive
    beta: Annotated[float, Range(at_least=0, at_most=1)]
    gamma: NonNegative
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
