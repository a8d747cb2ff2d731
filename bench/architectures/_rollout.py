"""Whole sequences without a graph, for recurrent cells that have no kernel in C.

Autograd keeps a dozen nodes a time step, and Python spends longer on them than a small network on
its arithmetic. A `Rule` says what a step computes and how derivatives come back through it; the
gradients of its weights are taken of all steps at once. `step` of the network remains the equation
to be read, and both must agree.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bench.architectures._recurrent import RecurrentNetwork, State
from bench.kernels.elementwise import KINDS
from bench.kernels.engine import call
from bench.kernels.layers import linear
from bench.kernels.norms import is_finite, norm
from bench.kernels.once import differentiable_once
from bench.kernels.sequence import ROWS_WITHOUT_GRADIENT
from bench.kernels.tap import Tap, Watch, first_nonfinite, leave_gradients

TANH, SIGMOID = KINDS["tanh"], KINDS["sigmoid"]


class Flow:
    """dL/dh_t on its way back through time."""

    def __init__(self, states: Tensor, direct: Tensor, watch: Watch) -> None:
        steps = states.shape[0]
        self._direct, self._seen_from = direct, steps - direct.shape[0]
        self.gradients = torch.empty_like(states) if watch >= Watch.GRADIENTS else None
        self.norms = torch.empty(steps, dtype=torch.float64) if watch >= Watch.NORMS else None

    def total(self, t: int, later: Tensor) -> Tensor:
        """dL/dh_t: what comes from step t + 1, and what the loss sees directly."""
        index = t - self._seen_from
        grad = later + self._direct[index] if index >= 0 else later
        if self.gradients is not None:
            self.gradients[t] = grad
        if self.norms is not None:
            self.norms[t] = norm(grad)
        return grad


class Rule:
    """The equations of one cell. S tensors make its state, of which the first is h."""

    @abstractmethod
    def forward(
        self, projected: Tensor, weights: Sequence[Tensor], start: State
    ) -> tuple[Tensor, ...]:
        """What is kept of every step, the S states first, each [time, batch, ...].

        `projected` is W_in x_t + b [time, batch, G H], `start` the state before the first step.
        """

    @abstractmethod
    def backward(
        self, flow: Flow, weights: Sequence[Tensor], kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """dL/d projected and dL/dw of every weight, of a sequence that started from zeros."""


class RolledNetwork(RecurrentNetwork):
    """A recurrent network whose whole-sequence path is a `Rule`."""

    rule: Rule

    def whole(self, layer: int, sequence: Tensor, tap: Tap, last: int) -> Tensor:
        input_weights, *weights = self.weights(layer)
        inner = [weight.contiguous() for weight in (weights[0], *weights[2:])]
        bias = weights[1]
        recorded = torch.is_grad_enabled() and any(
            tensor.requires_grad for tensor in (sequence, input_weights, *weights)
        )
        if recorded:
            projected = linear(sequence, input_weights, bias)
            return _Rollout.apply(self.rule, self._start(projected), tap, last, projected, *inner)  # type: ignore[no-any-return, no-untyped-call]
        return self._unrecorded(sequence, (input_weights, bias), inner, tap, last)

    def _start(self, like: Tensor) -> State:
        zeros = like.new_zeros(like.shape[1], self.hidden_size * self.numbers)
        return (zeros,) * len(self.states)

    def _unrecorded(
        self,
        sequence: Tensor,
        projection: tuple[Tensor, Tensor],
        inner: Sequence[Tensor],
        tap: Tap,
        last: int,
    ) -> Tensor:
        """In segments that stay in the cache; what the outputs do not need is let go."""
        state, parts, done = self._start(sequence), [], 0
        needless = len(sequence) - last
        for part in torch.split(sequence, max(1, ROWS_WITHOUT_GRADIENT // sequence.shape[1])):
            kept = self.rule.forward(linear(part, *projection), inner, state)
            _note_nonfinite(tap, kept[0], done)
            state = tuple(array[-1] for array in kept[: len(self.states)])
            parts.append(kept[0][max(0, needless - done) :].clone())
            done += len(part)
        return torch.cat(parts)


class _Rollout(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rule: Rule, start: State, tap: Tap, last: int, projected: Tensor, *weights: Tensor
    ) -> Tensor:
        kept = rule.forward(projected, weights, start)
        _note_nonfinite(tap, kept[0], 0)
        tap.states = kept[0]
        ctx.rule, ctx.tap, ctx.count = rule, weakref.ref(tap), len(weights)
        ctx.save_for_backward(*weights, *kept)
        return kept[0][-last:].clone()

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        weights, kept = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        tap = ctx.tap()
        flow = Flow(kept[0], grad, Watch.NOTHING if tap is None else tap.watch)
        gradients = ctx.rule.backward(flow, weights, kept)
        leave_gradients(ctx.tap, flow.gradients, flow.norms)
        return None, None, None, None, *gradients


def _note_nonfinite(tap: Tap, states: Tensor, offset: int) -> None:
    if tap.nonfinite is None and not is_finite(states):
        tap.nonfinite = first_nonfinite(states, offset)


def constant(value: float, like: Tensor) -> Tensor:
    """[1]: a Python number is twice as slow to multiply by, and gives the same bits."""
    return like.new_full((1,), value)


def product(vectors: Tensor, matrix: Tensor, out: Tensor | None = None) -> Tensor:
    """v W^T [batch, N], from v [batch, K] and W [N, K]; not differentiable."""
    rows, columns = matrix.shape
    result = vectors.new_empty(vectors.shape[0], rows) if out is None else out
    call("linear", vectors.dtype, vectors.shape[0], columns, rows, vectors, matrix, None, result)
    return result


def evaluate_(kind: int, values: Tensor) -> Tensor:
    """f of every element, in place."""
    call("elementwise", values.dtype, kind, values.numel(), values, values)
    return values


def outer(deltas: Tensor, seen: Tensor) -> Tensor:
    """dL/dW [N, K], from dL/d(W v) [time, batch, N] and v [time, batch, K] of every step."""
    grad = deltas.new_empty(deltas.shape[-1], seen.shape[-1])
    _backward(deltas, seen, grad, None)
    return grad


def column_sums(values: Tensor) -> Tensor:
    """[N], the sums of [time, batch, N] over time and batch, in a fixed order."""
    sums = values.new_empty(values.shape[-1])
    _backward(values, values, None, sums)
    return sums


def _backward(deltas: Tensor, seen: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
    rows, columns = deltas.shape[-1], seen.shape[-1]
    count = deltas.numel() // rows
    sizes, unused = (count, columns, rows), None
    given = deltas.contiguous()
    call("linear_backward", deltas.dtype, *sizes, seen, deltas, given, unused, weight, bias)


def earlier(states: Tensor) -> Tensor:
    """What each step of a sequence starts from, [time, batch, ...]: zeros, h_1, h_2, ..."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])
