"""The antisymmetric recurrent network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.architectures._generated import num_entries, skew_symmetric
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
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, Gain, NonNegative, Positive, PositiveInt, Range


class _Rule(Rule):
    def __init__(self, step_size: float) -> None:
        self.step_size = step_size

    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (matrix,), (h,), eps = weights, start, constant(self.step_size, projected)
        states, rates = torch.empty_like(projected), torch.empty_like(projected)
        for p, state, rate in zip(projected, states, rates, strict=True):
            torch.add(p, product(h, matrix), out=rate)
            h = torch.add(h, evaluate_(TANH, rate) * eps, out=state)
        return states, rates

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (matrix,), (states, rates) = weights, kept
        transposed, slopes = matrix.t().contiguous(), (1 - rates * rates) * self.step_size
        deltas, later = torch.empty_like(states), torch.zeros_like(states[0])
        for t in reversed(range(len(states))):
            grad = flow.total(t, later)
            delta = torch.mul(grad, slopes[t], out=deltas[t])
            later = grad + product(delta, transposed)
        return deltas, outer(deltas, earlier(states))


class _Network(RolledNetwork):
    gates = ("",)

    def __init__(self, signature: Signature, settings: AntisymmetricRNN) -> None:
        super().__init__(signature, settings)
        self.step_size, self.diffusion = settings.step_size, settings.diffusion
        self.gain, self.rule = settings.gain, _Rule(settings.step_size)

    def declare_layer(self, layer: int, columns: int, _: Any) -> None:
        hidden = self.hidden_size
        role = Role(name="input", layer=layer, kind="gaussian")
        self.declare(f"input_{layer}", (hidden, columns), role)
        entries = (num_entries(hidden),)
        self.declare(f"generator_{layer}", entries, Role(name="generator", layer=layer))
        self.declare(f"bias_{layer}", (hidden,), Role(name="bias", layer=layer))

    def initialise(self, seed: int) -> None:
        super().initialise(seed)
        with torch.no_grad():
            for entries, role in self.with_role("generator"):
                shape = tuple(entries.shape)
                stream = Stream("initial weights", role.name, role.layer, "", *shape, seed=seed)
                deviation = self.gain / math.sqrt(self.hidden_size)
                entries.copy_(torch.from_numpy(on_grid(stream.normal(shape) * deviation)))

    def weights(self, layer: int) -> list[Tensor]:
        skew = skew_symmetric(self.tensor(f"generator_{layer}"), self.hidden_size)
        damping = self.diffusion * torch.eye(self.hidden_size, dtype=skew.dtype)
        return [self.tensor(f"input_{layer}"), skew - damping, self.tensor(f"bias_{layer}")]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,), (matrix,) = state, weights
        (z,) = self.preactivations(layer, inputs + linear(self.feedback(layer, before), matrix))
        return (before + tanh(z) * self.step_size,)


@dataclass(frozen=True, kw_only=True)
class AntisymmetricRNN:
    """A stable differential equation, stepped by Euler's rule (ungated).

    h_t = h_{t-1} + eps tanh((W - W^T - gamma I) h_{t-1} + W_in x_t + b)

    The eigenvalues of a skew-symmetric matrix are imaginary, so the equation neither explodes nor
    forgets but for the diffusion gamma: at h = 0 those of dh_t/dh_{t-1} are 1 - eps gamma plus or
    minus an imaginary part. Euler's rule itself adds growth of second order in eps. `step_size` is
    eps, `diffusion` gamma; the paper chooses both by task, the defaults here are ours.

    Parameters are the entries of W - W^T above the diagonal, N(0, gain^2 / H) at the start, which
    makes H (H - 1) / 2 + H I + H of them in a layer. Rules for square matrices do not act on them.

    Reference: Chang, Chen, Haber & Chi 2019, arXiv:1902.09689, section 3.
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
    dispatch: ClassVar[int] = 85

    hidden_size: Annotated[int, Range(at_least=2)]
    num_layers: PositiveInt
    step_size: Positive
    diffusion: NonNegative
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
