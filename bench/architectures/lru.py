"""The linear recurrent unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.architectures._recurrent import State
from bench.architectures._rollout import Flow, RolledNetwork, Rule, column_sums, earlier
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear
from bench.kernels.polar import cosine_and_sine, exponential
from bench.network import Role
from bench.records import Signature
from bench.seeding import UNIFORM_GRID, Stream, on_grid
from bench.settings import Annotated, PositiveInt, Range


def _swapped(state: Tensor) -> Tensor:
    """Real and imaginary halves of [..., 2 N] exchanged."""
    real, imaginary = state.chunk(2, dim=-1)
    return torch.cat([imaginary, real], dim=-1)


class _Rule(Rule):
    """Weights: the parts of lambda as (Re, Re) and (-Im, Im), [2 N] each."""

    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (real, cross), (h,), states = weights, start, torch.empty_like(projected)
        for p, state in zip(projected, states, strict=True):
            h = torch.add(p, h * real + _swapped(h) * cross, out=state)
        return (states,)

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (real, cross), (states,) = weights, kept
        deltas, later = torch.empty_like(states), torch.zeros_like(states[0])
        for t in reversed(range(len(states))):
            delta = flow.total(t, later)
            later = delta * real + _swapped(delta * cross)
            deltas[t] = delta
        before = earlier(states)
        return deltas, column_sums(deltas * before), column_sums(deltas * _swapped(before))


class _Network(RolledNetwork):
    gates = ("real", "imaginary")
    places = ()  # rules at a site take the state for what the readout reads
    numbers = 2
    rule = _Rule()

    def __init__(self, signature: Signature, settings: LRU) -> None:
        super().__init__(signature, settings)
        self.smallest, self.largest = settings.smallest_radius, settings.largest_radius
        self.largest_phase = settings.largest_phase

    def declare_layer(self, layer: int, columns: int, _: Any) -> None:
        units = self.hidden_size
        # Each of the real and imaginary parts of B has half the variance of B.
        role = Role(
            name="input", layer=layer, gates=self.gates, kind="gaussian", gain=math.sqrt(0.5)
        )
        self.declare(f"input_{layer}", (2 * units, columns), role)
        for part in ("decay", "phase", "scale"):
            role = Role(name="diagonal", layer=layer, gates=(part,))
            self.declare(f"{part}_{layer}", (units,), role)
        role = Role(
            name="input", layer=layer, gates=("output",), kind="gaussian", gain=math.sqrt(2.0)
        )
        self.declare(f"output_{layer}", (units, 2 * units + columns), role)

    def initialise(self, seed: int) -> None:
        super().initialise(seed)
        size = (self.hidden_size,)
        low, high = self.smallest**2, self.largest**2
        with torch.no_grad():
            for layer in range(self.num_layers):
                stream = Stream("initial weights", "ring", layer, *size, seed=seed)
                area = stream.uniform(size) + UNIFORM_GRID / 2  # never the origin
                squares = low + area * (high - low)
                start = {
                    "decay": np.log(-0.5 * np.log(squares)),
                    "phase": self.largest_phase * stream.uniform(size),
                    "scale": 0.5 * np.log(1 - squares),
                }
                for part, values in start.items():
                    parameter = self.get_parameter(f"{part}_{layer}")
                    parameter.copy_(torch.from_numpy(on_grid(values)))

    def eigenvalues(self, layer: int) -> tuple[Tensor, Tensor]:
        """Re and Im of lambda, [N] each."""
        modulus = exponential(-exponential(self.tensor(f"decay_{layer}")))
        cosine, sine = cosine_and_sine(self.tensor(f"phase_{layer}"))
        return modulus * cosine, modulus * sine

    def weights(self, layer: int) -> list[Tensor]:
        real, imaginary = self.eigenvalues(layer)
        scale = exponential(self.tensor(f"scale_{layer}"))
        inputs = self.tensor(f"input_{layer}") * torch.cat([scale, scale])[:, None]
        both, cross = torch.cat([real, real]), torch.cat([-imaginary, imaginary])
        return [inputs, both, inputs.new_zeros(len(inputs)), cross]

    def outputs(self, layer: int, inputs: Tensor, states: Tensor) -> Tensor:
        """gelu([C D] [x_t, u_t]), the sign of Im C left to the optimiser."""
        seen = torch.cat([states, inputs], dim=-1)
        return ACTIVATIONS["gelu"](linear(seen, self.tensor(f"output_{layer}")))

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        del layer  # nothing stands inside
        (before,), (real, cross) = state, weights
        return (inputs + (before * real + _swapped(before) * cross),)


@dataclass(frozen=True, kw_only=True)
class LRU:
    """Linear recurrent unit: complex, diagonal, and stable whatever its parameters.

    x_t = lambda * x_{t-1} + exp(g) * (B u_t),  lambda = exp(-exp(nu) + i theta)
    y_t = gelu(Re(C x_t) + D u_t)

    u_t is the layer's input, y_t what the next layer or the readout sees. |lambda| < 1 for every nu
    (below -17 it rounds to 1 in float32). The initial lambda are uniform on the ring
    `smallest_radius` <= |lambda| <= `largest_radius` with phases in [0, `largest_phase`);
    exp(g) starts at sqrt(1 - |lambda|^2), so that white inputs give states of variance one.
    B starts at variance 1/I, half of it in either part. C and D are one matrix [Re C, -Im C, D],
    N(0, 2 / (2 N + I)) at the start, close to the paper's 1/N for either part of C.

    What is watched as h_t is x_t, [Re, Im] of N = `hidden_size` units: it alone goes from one time
    step to the next. Orvieto et al. put the unit in a block of normalisation, gated linear unit
    and skip; here a GELU follows it, and D is a matrix where the paper's code has a vector. Their
    code trains log theta, here theta. Each layer has 2 N I + 3 N + 2 N^2 + N I parameters.

    Reference: Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De 2023, arXiv:2303.06349.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 3
    provides: ClassVar[tuple[str, ...]] = ("hidden_states",)
    portable: ClassVar[bool] = True
    dispatch: ClassVar[int] = 40
    requires: ClassVar[dict[str, str]] = {
        "smallest_radius <= largest_radius": "a ring is no smaller outside than inside",
    }

    hidden_size: PositiveInt
    num_layers: PositiveInt
    smallest_radius: Annotated[float, Range(at_least=0, below=1)]
    largest_radius: Annotated[float, Range(above=0, below=1)]
    largest_phase: Annotated[float, Range(above=0, at_most=6.2831854)]

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
