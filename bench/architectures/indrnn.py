"""The network of independently recurrent units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.architectures._recurrent import State
from bench.architectures._rollout import Flow, RolledNetwork, Rule, column_sums, earlier
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.once import differentiable_once
from bench.network import Role
from bench.records import Signature
from bench.seeding import UNIFORM_GRID, Stream, on_grid
from bench.settings import Annotated, PositiveInt, Range


class _Rule(Rule):
    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (u,), (h,), states = weights, start, torch.empty_like(projected)
        for p, state in zip(projected, states, strict=True):
            h = torch.clamp(p + h * u, min=0, out=state)
        return (states,)

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (u,), (states,) = weights, kept
        deltas, zeros = torch.empty_like(states), torch.zeros_like(states[0])
        later, off = zeros, states <= 0
        for t in reversed(range(len(states))):
            delta = torch.where(off[t], zeros, flow.total(t, later))
            later = delta * u
            deltas[t] = delta
        return deltas, column_sums(deltas * earlier(states))


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(weights)
        ctx.bound = bound
        return weights.clamp(-bound, bound)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (weights,) = ctx.saved_tensors
        outward = (weights >= ctx.bound) & (grad < 0) | (weights <= -ctx.bound) & (grad > 0)
        return torch.where(outward, 0.0, grad), None


def _bounded(weights: Tensor, bound: float) -> Tensor:
    return _Bounded.apply(weights, bound)  # type: ignore[no-any-return, no-untyped-call]


class _Network(RolledNetwork):
    gates = ("",)
    rule = _Rule()

    def __init__(self, signature: Signature, settings: IndRNN) -> None:
        super().__init__(signature, settings)
        # Rounded down to what float32 holds, so that bound^T <= growth.
        root = settings.growth ** (1 / settings.horizon)
        self.bound = math.floor(root / UNIFORM_GRID) * UNIFORM_GRID

    def declare_layer(self, layer: int, columns: int, _: Any) -> None:
        hidden = self.hidden_size
        role = Role(name="input", layer=layer, kind="gaussian")
        self.declare(f"input_{layer}", (hidden, columns), role)
        self.declare(f"diagonal_{layer}", (hidden,), Role(name="diagonal", layer=layer))
        self.declare(f"bias_{layer}", (hidden,), Role(name="bias", layer=layer))

    def initialise(self, seed: int) -> None:
        super().initialise(seed)
        with torch.no_grad():
            for u, role in self.with_role("diagonal"):
                stream = Stream("initial weights", role.name, role.layer, "", *u.shape, seed=seed)
                start = on_grid(stream.uniform(tuple(u.shape)) * self.bound)
                u.copy_(torch.from_numpy(start.clip(max=self.bound)))

    def weights(self, layer: int) -> list[Tensor]:
        u = _bounded(self.tensor(f"diagonal_{layer}"), self.bound)
        return [self.tensor(f"input_{layer}"), u, self.tensor(f"bias_{layer}")]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,), (u,) = state, weights
        (z,) = self.preactivations(layer, inputs + self.feedback(layer, before) * u)
        return (ACTIVATIONS["relu"](z),)


@dataclass(frozen=True, kw_only=True)
class IndRNN:
    """Independently recurrent network: each unit of a layer sees of the past itself alone.

    h_t = relu(W_in x_t + u * h_{t-1} + b),  |u| <= growth^(1 / horizon)

    Over `horizon` steps a unit's gradient grows at most by `growth`: Li et al. use growth 2 and the
    length of the sequence. u starts at U[0, bound). Li et al. clip u after every update. Here the
    step is computed with u clipped to the bound, and at or beyond the bound a gradient that would
    push u further out is dropped: the gain obeys the same bound at all times, but the parameter
    may lie outside by what one update overshot. Units meet in the next layer: the paper stacks two
    layers and more. Each layer has H I + 2 H parameters.

    Reference: Li, Li, Cook, Zhu & Gao 2018, arXiv:1803.04831, eq. 2 and section 3.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 1
    provides: ClassVar[tuple[str, ...]] = ("preactivation", "state", "feedback", "hidden_states")
    portable: ClassVar[bool] = True
    dispatch: ClassVar[int] = 30

    hidden_size: PositiveInt
    num_layers: PositiveInt
    horizon: PositiveInt
    growth: Annotated[float, Range(at_least=1)]

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
