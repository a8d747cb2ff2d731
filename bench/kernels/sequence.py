"""A recurrent layer over a whole sequence, forward and backward, input products included.

h_t from x_t and h_{t-1}, h_0 = 0; what each cell computes stands in source/rnn.h, lstm.h, gru.h
and, in PyTorch, in twins/. A sequence whose states would take much memory is cut in segments, and
the state between two of them alone is kept: the backward pass computes each segment again (Chen et
al. 2016, arXiv:1604.06174), which costs a third of the time more and gives the same bits.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.kernels.elementwise import KINDS
from bench.kernels.engine import Argument, call, expect
from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, Watch, first_nonfinite, leave_gradients

KEPT_AT_MOST = 256 * 2**20
"""Bytes that a layer keeps for the backward pass before it is cut in segments."""
ROWS_WITHOUT_GRADIENT = 4096
"""Time steps x batch of a segment where nothing is kept: it should stay in the cache."""


@dataclass(frozen=True)
class Cell:
    """What the kernels of one cell hand over, in multiples of H numbers per step and example."""

    name: str  # of the kernels NAME_forward, NAME_backward
    gates: int
    kept: tuple[int, ...]  # forward: for the backward pass; the states first
    memory: int  # how many of the first of `kept` the next step starts from
    carried: tuple[int, ...]  # backward: from one segment to the one before it
    options: tuple[int, ...] = ()


RNN_TANH = Cell("rnn", 1, (1,), 1, (1,), (KINDS["tanh"],))
RNN_RELU = Cell("rnn", 1, (1,), 1, (1,), (KINDS["relu"],))
RNN_LINEAR = Cell("rnn", 1, (1,), 1, (1,), (KINDS["linear"],))
LSTM = Cell("lstm", 4, (1, 1, 1, 4), 2, (4, 1))
GRU = Cell("gru", 3, (1, 3, 1), 1, (3, 1))


def whole_sequence(
    cell: Cell,
    inputs: Tensor,
    weights: Sequence[Tensor],
    tap: Tap,
    *,
    last: int | None = None,
    segment: int | None = None,
) -> Tensor:
    """States [last, B, H] of the last steps (default: all) from inputs [T, B, I].

    `weights`: W_in [G H, I], W [G H, H], b [G H] and, for the GRU, the candidate's b [H].
    `segment`: the states are kept only every so many steps (default: as KEPT_AT_MOST allows). The
    backward pass leaves dL/dh_t of every step in `tap`, as far as it is watched.
    """
    steps = inputs.shape[0]
    last = steps if last is None else min(last, steps)
    # Inside a Function neither this nor the mode of autograd can be asked.
    recorded = torch.is_grad_enabled() and any(t.requires_grad for t in (inputs, *weights))
    return _WholeSequence.apply(cell, tap, last, segment, recorded, inputs, *weights)  # type: ignore[no-any-return, no-untyped-call]


class _WholeSequence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        cell: Cell,
        tap: Tap,
        last: int,
        segment: int | None,
        recorded: bool,
        inputs: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        inputs = inputs.contiguous()
        weights = tuple(weight.contiguous() for weight in weights)
        steps, batch, columns = inputs.shape
        if not steps or not batch:
            raise ValueError(f"a sequence of {steps} steps and {batch} examples")
        hidden = weights[1].shape[1]
        rows = cell.gates * hidden
        shapes = ((rows, columns), (rows, hidden), (rows,), (hidden,))  # the last one: GRU
        expect(inputs.dtype, *zip(weights, shapes, strict=False))
        if not recorded:
            segment = max(1, ROWS_WITHOUT_GRADIENT // batch)
        elif segment is None:
            segment = _longest_segment(cell, steps, batch * hidden * inputs.element_size())
        whole = segment >= steps

        outputs = inputs.new_empty(last, batch, hidden)
        starts = range(0, steps, segment)
        room = _room(cell, inputs, segment, hidden)
        boundaries = inputs.new_empty(len(starts), cell.memory, batch, hidden)
        before: Sequence[Tensor] = ()
        for index, first in enumerate(starts):
            part = inputs[first : first + segment]
            kept = [array[: part.shape[0]] for array in room]
            bad = _forward(cell, part, weights, before, kept)
            if tap.nonfinite is None and bad >= 0:
                tap.nonfinite = first_nonfinite(kept[0][bad, None], first + bad)
            if first + segment < steps:  # the last one is where nobody starts from
                before = boundaries[index].unbind()
                for place, array in zip(before, kept, strict=False):
                    place.copy_(array[-1])
            _copy_overlap(kept[0], first, outputs, steps - last)
        if recorded:
            ctx.cell, ctx.segment, ctx.tap = cell, segment, weakref.ref(tap)
            ctx.save_for_backward(inputs, boundaries, *weights, *(room if whole else ()))
            if whole:
                tap.states = room[0]
        return outputs

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        cell: Cell = ctx.cell
        count = len(ctx.needs_input_grad) - 6  # weights
        inputs, boundaries, *saved = ctx.saved_tensors
        weights, arrays = saved[:count], saved[count:]
        steps, batch, _ = inputs.shape
        hidden = weights[1].shape[1]
        direct = grad_outputs.contiguous()
        tap = ctx.tap()
        watch = Watch.NOTHING if tap is None else tap.watch
        total = inputs.new_empty(steps, batch, hidden) if watch >= Watch.GRADIENTS else None
        norms = torch.empty(steps, dtype=torch.float64) if watch >= Watch.NORMS else None
        grad_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[5] else None
        grads = [torch.zeros_like(weight) for weight in weights]
        carried = [inputs.new_zeros(batch, size * hidden) for size in cell.carried]

        room = arrays or _room(cell, inputs, ctx.segment, hidden)
        later = 0
        for index in reversed(range(boundaries.shape[0])):
            first = index * ctx.segment
            end = min(first + ctx.segment, steps)
            before = boundaries[index - 1].unbind() if index else ()
            part = inputs[first:end]
            kept = [array[: part.shape[0]] for array in room]
            if not arrays:
                _forward(cell, part, weights, before, kept)
            # The last steps, which the loss sees directly, as far as they lie in this segment.
            seen_from = steps - direct.shape[0]
            seen = direct[max(0, first - seen_from) : max(0, end - seen_from)]
            call(
                f"{cell.name}_backward",
                inputs.dtype,
                *_sizes(cell, part, hidden),
                part,
                *weights[:2],
                *_padded(before, cell.memory),
                *kept,
                seen.shape[0],
                seen,
                later,
                *carried,
                _slice(total, first, end),
                _slice(norms, first, end),
                _slice(grad_inputs, first, end),
                *grads,
            )
            later = 1
        leave_gradients(ctx.tap, total, norms)
        return None, None, None, None, None, grad_inputs, *grads


def _longest_segment(cell: Cell, steps: int, state_size: int) -> int:
    """All steps where they fit; else what makes the states between segments and the inside of one
    take the same memory, the least in all. `state_size`: bytes of h at one step."""
    per_step = sum(cell.kept) * state_size
    if steps * per_step <= KEPT_AT_MOST:
        return steps
    return max(1, math.isqrt(steps * cell.memory // sum(cell.kept)))


def _room(cell: Cell, inputs: Tensor, steps: int, hidden: int) -> list[Tensor]:
    """What a forward pass keeps: one array for all segments, as freed ones are not found again."""
    shape = (min(steps, inputs.shape[0]), inputs.shape[1])
    return [inputs.new_empty(*shape, size * hidden) for size in cell.kept]


def _forward(
    cell: Cell,
    inputs: Tensor,
    weights: Sequence[Tensor],
    before: Sequence[Tensor],
    kept: Sequence[Tensor],
) -> int:
    """Fills `kept`; the first time step whose state is not finite, or -1."""
    hidden = weights[1].shape[1]
    bad: int = call(
        f"{cell.name}_forward",
        inputs.dtype,
        *_sizes(cell, inputs, hidden),
        inputs,
        *weights,
        *_padded(before, cell.memory),
        *kept,
    )
    return bad


def _sizes(cell: Cell, inputs: Tensor, hidden: int) -> Iterator[int]:
    yield from inputs.shape
    yield hidden
    yield from cell.options


def _padded(before: Sequence[Tensor], count: int) -> list[Argument]:
    return list(before) if before else [None] * count


def _slice(values: Tensor | None, first: int, end: int) -> Tensor | None:
    return None if values is None else values[first:end]


def _copy_overlap(states: Tensor, first: int, outputs: Tensor, start: int) -> None:
    """Copy the steps that `states` (from step `first`) and `outputs` (from `start`) share."""
    low, high = max(first, start), first + states.shape[0]
    if low < high:
        outputs[low - start : high - start] = states[low - first :]
