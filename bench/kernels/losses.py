"""The two losses: mean squared error, and softmax cross-entropy in nats."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench.kernels.engine import call, expect
from bench.kernels.once import differentiable_once


class _SoftmaxCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        rows, classes = logits.shape
        expect(torch.int64, (targets, (rows,)))
        if rows and not 0 <= int(targets.min()) <= int(targets.max()) < classes:
            raise ValueError(f"a target is none of the {classes} classes")
        logits, targets = logits.contiguous(), targets.contiguous()
        probabilities = torch.empty_like(logits)
        value = call(
            "softmax_cross_entropy", logits.dtype, *logits.shape, logits, targets, probabilities
        )
        ctx.save_for_backward(probabilities, targets)
        return logits.new_tensor(value)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        probabilities, targets = ctx.saved_tensors
        delta = torch.empty_like(probabilities)
        call(
            "softmax_cross_entropy_backward",
            probabilities.dtype,
            *probabilities.shape,
            probabilities,
            targets,
            float(grad) / len(targets),
            delta,
        )
        return delta, None


class _MeanSquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor) -> Tensor:
        outputs, targets = outputs.contiguous(), targets.contiguous()
        difference = torch.empty_like(outputs)
        value = call(
            "mean_squared_error", outputs.dtype, outputs.numel(), outputs, targets, difference
        )
        ctx.save_for_backward(difference)
        return outputs.new_tensor(value)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (difference,) = ctx.saved_tensors
        return difference * (2 * float(grad) / difference.numel()), None


def softmax_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over N of -log softmax(logits [N, C])[target]; a logit of NaN or +inf gives NaN."""
    return _SoftmaxCrossEntropy.apply(logits, targets)  # type: ignore[no-any-return, no-untyped-call]


def mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over N of (output - target)^2; `targets` has no derivative."""
    expect(outputs.dtype, (targets, outputs.shape))
    return _MeanSquaredError.apply(outputs, targets)  # type: ignore[no-any-return, no-untyped-call]
