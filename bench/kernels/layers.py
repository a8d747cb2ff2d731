"""Feed-forward layers: one linear map, and the whole stack of a deep network."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bench.kernels.elementwise import KINDS
from bench.kernels.engine import call, expect
from bench.kernels.once import differentiable_once
from bench.kernels.tap import Tap, Watch, first_nonfinite, leave_gradients


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        expect(inputs.dtype, (weight, (weight.shape[0], inputs.shape[-1])))
        inputs, weight = inputs.contiguous(), weight.contiguous()
        if bias is not None:
            expect(inputs.dtype, (bias, (weight.shape[0],)))
            bias = bias.contiguous()
        outputs = inputs.new_empty(*inputs.shape[:-1], weight.shape[0])
        call("linear", inputs.dtype, *_sizes(inputs, weight), inputs, weight, bias, outputs)
        ctx.save_for_backward(inputs, weight)
        return outputs

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        inputs, weight = ctx.saved_tensors
        wants_inputs, wants_weight, wants_bias = ctx.needs_input_grad
        grad_inputs = torch.empty_like(inputs) if wants_inputs else None
        grad_weight = torch.empty_like(weight) if wants_weight else None
        grad_bias = weight.new_empty(weight.shape[0]) if wants_bias else None
        call(
            "linear_backward",
            inputs.dtype,
            *_sizes(inputs, weight),
            inputs,
            weight,
            grad.contiguous(),
            grad_inputs,
            grad_weight,
            grad_bias,
        )
        return grad_inputs, grad_weight, grad_bias


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b, [..., O], from x [..., I], W [O, I], b [O]."""
    return _Linear.apply(inputs, weight, bias)  # type: ignore[no-any-return, no-untyped-call]


def _sizes(inputs: Tensor, weight: Tensor) -> tuple[int, int, int]:
    outputs, columns = weight.shape
    return inputs.numel() // columns, columns, outputs


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tap: Tap, kind: int, inputs: Tensor, *parameters: Tensor) -> Tensor:
        inputs = inputs.contiguous()
        parameters = tuple(parameter.contiguous() for parameter in parameters)
        weights, biases = list(parameters[0::2]), list(parameters[1::2])
        (batch, columns), hidden = inputs.shape, len(weights[0])
        for weight, bias in zip(weights, biases, strict=True):
            expect(inputs.dtype, (weight, (hidden, columns)), (bias, (hidden,)))
            columns = hidden
        sizes = (len(weights), *inputs.shape, hidden, kind)
        states = inputs.new_empty(len(weights), batch, hidden)
        # Only GELU needs the value before; the others would keep memory for nothing.
        before = torch.empty_like(states) if kind == KINDS["gelu"] else None
        bad = call("stack_forward", inputs.dtype, *sizes, inputs, weights, biases, before, states)
        if bad >= 0:
            tap.nonfinite = first_nonfinite(states[bad, None], bad)
        tap.states = states
        ctx.sizes, ctx.tap, ctx.has_before = sizes, weakref.ref(tap), before is not None
        ctx.save_for_backward(inputs, states, *(() if before is None else (before,)), *parameters)
        return states[-1].clone()

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, states, *rest = ctx.saved_tensors
        before = rest.pop(0) if ctx.has_before else None
        weights, biases = rest[0::2], rest[1::2]
        tap = ctx.tap()
        watch = Watch.NOTHING if tap is None else tap.watch
        total = torch.empty_like(states) if watch >= Watch.GRADIENTS else None
        norms = torch.empty(states.shape[0], dtype=torch.float64) if watch >= Watch.NORMS else None
        grad_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[2] else None
        hidden = biases[0].shape[0]
        grad_weights = [
            torch.empty_like(weights[0]),
            *inputs.new_empty(len(weights) - 1, hidden, hidden).unbind(),
        ]
        grad_biases = list(inputs.new_empty(len(biases), hidden).unbind())
        call(
            "stack_backward",
            inputs.dtype,
            *ctx.sizes,
            inputs,
            weights,
            before,
            states,
            grad.contiguous(),
            total,
            norms,
            grad_inputs,
            grad_weights,
            grad_biases,
        )
        leave_gradients(ctx.tap, total, norms)
        pairs = zip(grad_weights, grad_biases, strict=True)
        return None, None, grad_inputs, *(gradient for pair in pairs for gradient in pair)


def stack(
    inputs: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], activation: str, tap: Tap
) -> Tensor:
    """h_L [B, H] of h_l = f(W_l h_{l-1} + b_l) from h_0 = `inputs` [B, I].

    W_1 is [H, I], the others [H, H]. The backward pass leaves dL/dh_l of every layer in `tap`, as
    far as it is watched.
    """
    parameters = [tensor for pair in zip(weights, biases, strict=True) for tensor in pair]
    return _Stack.apply(tap, KINDS[activation], inputs, *parameters)  # type: ignore[no-any-return, no-untyped-call]
