"""The recurrent network whose matrix stays orthogonal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bench.architectures._generated import num_entries, skew_symmetric
from bench.architectures._recurrent import State
from bench.architectures._rollout import (
    Flow,
    RolledNetwork,
    Rule,
    column_sums,
    earlier,
    outer,
    product,
)
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear
from bench.kernels.matrices import matrix_exponential
from bench.network import Role
from bench.records import Signature
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, PositiveInt, Range


class _Rule(Rule):
    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        (matrix, threshold), (h,), states = weights, start, torch.empty_like(projected)
        for p, state in zip(projected, states, strict=True):
            z = p + product(h, matrix)
            size = (z.abs() + threshold).clamp_(min=0)
            h = torch.mul(torch.sign(z), size, out=state)
        return (states,)

    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        (matrix, _), (states,) = weights, kept
        transposed, off = matrix.t().contiguous(), states == 0
        deltas, zeros = torch.empty_like(states), torch.zeros_like(states[0])
        later = zeros
        for t in reversed(range(len(states))):
            delta = torch.where(off[t], zeros, flow.total(t, later))
            later = product(delta, transposed)
            deltas[t] = delta
        return deltas, outer(deltas, earlier(states)), column_sums(deltas * torch.sign(states))


class _Network(RolledNetwork):
    gates = ("",)
    rule = _Rule()

    def __init__(self, signature: Signature, settings: ExpRNN) -> None:
        super().__init__(signature, settings)
        self.kind = settings.kind

    def declare_layer(self, layer: int, columns: int, _: Any) -> None:
        hidden = self.hidden_size
        role = Role(name="input", layer=layer, kind="gaussian")
        self.declare(f"input_{layer}", (hidden, columns), role)
        entries = (num_entries(hidden),)
        self.declare(f"generator_{layer}", entries, Role(name="generator", layer=layer))
        self.declare(f"threshold_{layer}", (hidden,), Role(name="bias", layer=layer))

    def initialise(self, seed: int) -> None:
        super().initialise(seed)
        size = self.hidden_size
        rows, columns = np.triu_indices(size, 1)
        in_a_block = (rows % 2 == 0) & (columns == rows + 1)
        with torch.no_grad():
            for entries, role in self.with_role("generator"):
                stream = Stream("initial weights", role.name, role.layer, "", size, seed=seed)
                start = np.zeros(len(rows))
                start[in_a_block] = self._angles(stream.uniform((size // 2,)))
                entries.copy_(torch.from_numpy(on_grid(start)))

    def _angles(self, uniform: np.ndarray) -> np.ndarray:
        """Of the planes in which the initial A turns."""
        if self.kind == "henaff":
            return np.pi * (2 * uniform - 1)
        cosine = np.cos(uniform * (np.pi / 2))
        return np.asarray(-np.sqrt((1 - cosine) / (1 + cosine)))

    def orthogonal(self, layer: int) -> Tensor:
        """W [hidden, hidden]."""
        entries = self.tensor(f"generator_{layer}")
        # In float32 the squarings would lose three digits of W^T W = I at 128 units.
        exact = matrix_exponential(skew_symmetric(entries.double(), self.hidden_size))
        return exact.to(entries.dtype)

    def weights(self, layer: int) -> list[Tensor]:
        threshold = self.tensor(f"threshold_{layer}")
        no_bias = torch.zeros_like(threshold, requires_grad=False)
        return [self.tensor(f"input_{layer}"), self.orthogonal(layer), no_bias, threshold]

    def step(self, layer: int, inputs: Tensor, state: State, weights: Sequence[Tensor]) -> State:
        (before,), (matrix, threshold) = state, weights
        (z,) = self.preactivations(layer, inputs + linear(self.feedback(layer, before), matrix))
        return (torch.sign(z) * ACTIVATIONS["relu"](z.abs() + threshold),)


@dataclass(frozen=True, kw_only=True)
class ExpRNN:
    """Recurrent network whose matrix is the exponential of a skew-symmetric one, so orthogonal.

    h_t = modrelu(e^A h_{t-1} + W_in x_t),  A = -A^T,  modrelu(z) = sign(z) relu(|z| + b)

    Every singular value of W = e^A is 1 at all times: through W no gradient grows or shrinks, and
    modrelu's slope is 0 or 1. The optimiser moves the entries of A above the diagonal, with the
    exact derivative of the exponential. `kind` is the initial A, blocks [[0, s], [-s, 0]] along the
    diagonal: henaff has s from U[-pi, pi), cayley s = -tan(u / 2) with u from U[0, pi/2), which is
    what the authors' code draws. b starts at zero, where modrelu is the identity; the authors draw
    b from a small interval around it, and move A at a tenth of the learning rate: here there is
    one rate for all. Rules for square matrices do not act on A. Each layer has
    H (H - 1) / 2 + H I + H parameters.

    Reference: Lezcano-Casado & Martinez-Rubio 2019, arXiv:1901.08428, sections 3 and 4.
    """

    inputs: ClassVar[str] = "sequence"
    gates: ClassVar[int] = 1
    provides: ClassVar[tuple[str, ...]] = ("preactivation", "state", "feedback", "hidden_states")
    portable: ClassVar[bool] = True
    dispatch: ClassVar[int] = 120

    hidden_size: Annotated[int, Range(at_least=2)]
    num_layers: PositiveInt
    kind: Literal["henaff", "cayley"]

    def build(self, signature: Signature) -> _Network:
        return _Network(signature, self)
