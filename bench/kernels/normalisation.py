"""Layer normalisation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench.kernels.engine import call, expect
from bench.kernels.once import differentiable_once


class _LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, gain: Tensor, bias: Tensor, eps: float) -> Tensor:
        expect(values.dtype, (gain, values.shape[-1:]), (bias, values.shape[-1:]))
        values, gain, bias = values.contiguous(), gain.contiguous(), bias.contiguous()
        rows, width = values.numel() // len(gain), len(gain)
        normalised, outputs = torch.empty_like(values), torch.empty_like(values)
        scales = values.new_empty(rows)
        call(
            "layer_norm",
            values.dtype,
            rows,
            width,
            eps,
            values,
            gain,
            bias,
            normalised,
            scales,
            outputs,
        )
        ctx.save_for_backward(gain, normalised, scales)
        return outputs

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        gain, normalised, scales = ctx.saved_tensors
        grad_values = torch.empty_like(normalised)
        grad_gain, grad_bias = torch.zeros_like(gain), torch.zeros_like(gain)
        call(
            "layer_norm_backward",
            grad.dtype,
            len(scales),
            len(gain),
            gain,
            normalised,
            scales,
            grad.contiguous(),
            grad_values,
            grad_gain,
            grad_bias,
        )
        return grad_values, grad_gain, grad_bias, None


def layer_norm(values: Tensor, gain: Tensor, bias: Tensor, eps: float) -> Tensor:
    """gain (x - mean) / sqrt(variance + eps) + bias over the last axis of x [..., M]."""
    return _LayerNorm.apply(values, gain, bias, float(eps))  # type: ignore[no-any-return, no-untyped-call]
