"""The coupled oscillatory recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

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
from bench.settings import Gain, NonNegative, Positive, PositiveInt


class _Rule(Rule):
    def __init__(self, settings: CoRNN) -> None:
        dt = self.dt = settings.step_size
        self.pull, self.keep = dt * settings.gamma, 1 - dt * settings.epsilon

    def _constants(self, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, pull, dt = (constant(value, like) for value in (self.keep, self.pull, self.dt))
        return keep, pull, dt

    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (matrix,), (y, z) = weights, start
        keep, pull, dt = self._constants(projected)
        positions, velocities, forces = (torch.empty_like(projected) for _ in range(3))
        for t, p in enumerate(projected):
            force = torch.add(p, product(torch.cat([y, z], dim=1), matrix), out=forces[t])
            evaluate_(TANH, force)
            z = torch.add(keep * z - pull * y, dt * force, out=velocities[t])
            y = torch.add(y, dt * z, out=positions[t])
        return positions, velocities, forces

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (matrix,), (positions, velocities, forces) = weights, kept
        (keep, pull, dt), hidden = self._constants(positions), positions.shape[2]
        transposed, slopes = matrix.t().contiguous(), (1 - forces * forces) * dt
        deltas = torch.empty_like(forces)
        later_y, later_z = torch.zeros_like(forces[0]), torch.zeros_like(forces[0])
        for t in reversed(range(len(forces))):
            to_y = flow.total(t, later_y)
            to_z = later_z + dt * to_y
            back = product(torch.mul(to_z, slopes[t], out=deltas[t]), transposed)
            later_y = to_y - pull * to_z + back[:, :hidden]
            later_z = keep * to_z + back[:, hidden:]
        seen = torch.cat([earlier(positions), earlier(velocities)], dim=2)
        return deltas, outer(deltas, seen)


class _Network(RolledNetwork):
    gates = ("",)
    states = ("", "velocity")

    def __init__(self, signature: Signature, settings: CoRNN) -> None:
        super().__init__(signature, settings)
        self.rule: _Rule = _Rule(settings)

    def declare_layer(self, layer: int, columns: int, settings: Any) -> None:
        super().declare_layer(layer, columns, settings)
        role = Role(
            name="recurrent",
            layer=layer,
            gates=("velocity",),
            kind=settings.kind,
            gain=settings.gain,
        )
        self.declare(f"velocity_{layer}", (self.hidden_size, self.hidden_size), role)

    def weights(self, layer: int) -> list[Tensor]:
        input_weights, recurrent, bias = super().weights(layer)
        both = torch.cat([recurrent, self.tensor(f"velocity_{layer}")], dim=1)
        return [input_weights, both, bias]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (y, z), (both,), rule = state, weights, self.rule
        seen = torch.cat([self.feedback(layer, y), z], dim=1)
        (force,) = self.preactivations(layer, inputs + linear(seen, both))
        z = rule.keep * z - rule.pull * y + rule.dt * tanh(force)
        return y + rule.dt * z, z


@dataclass(frozen=True, kw_only=True)
class CoRNN:
    """Driven and damped nonlinear oscillators that are coupled, each unit one of them.

    z_t = z_{t-1} + dt (tanh(W y_{t-1} + V z_{t-1} + W_in x_t + b) - gamma y_{t-1} - eps z_{t-1})
    y_t = y_{t-1} + dt z_t,  h_t = y_t

    The discretisation of y'' = tanh(W y + V y' + ...) - gamma y - eps y' that is implicit in the
    velocity z and explicit in the damping; the paper's eq. 3 allows an implicit damping as well.
    States are bounded: with dt gamma < eps and dt eps <= 1, gamma y_t^2 + z_t^2 is at most
    t dt / (eps - dt gamma) in every unit, whatever the weights. `step_size` is dt; the defaults are
    those of the authors' code on adding: dt 0.06, gamma 66, eps 15, 128 units.

    `kind` and `gain` are those of W and V each. The authors draw all weights and biases from
    U[-k, k], k = (I + 2 H)^-1/2, whose variance a gain of 0.41 has where I is small. Each layer has
    2 H^2 + H I + H parameters.

    Reference: Rusch & Mishra 2021, arXiv:2010.00951, eqs. 1 to 3.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 2
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
    dispatch: ClassVar[int] = 160

    hidden_size: PositiveInt
    num_layers: PositiveInt
    step_size: Positive
    gamma: NonNegative
    epsilon: NonNegative
    kind: Literal["gaussian", "orthogonal", "identity"]
    gain: Gain

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
