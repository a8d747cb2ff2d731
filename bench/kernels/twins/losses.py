"""Twins of source/losses.h."""

from __future__ import annotations

import torch
from torch import Tensor


def softmax_cross_entropy(
    _rows: int, _classes: int, logits: Tensor, targets: Tensor, probabilities: Tensor
) -> float:
    shifted = logits - logits.amax(dim=1, keepdim=True)
    exponentials = shifted.exp()
    sums = exponentials.sum(dim=1, keepdim=True)
    probabilities.copy_(exponentials / sums)
    return float((sums.log() - shifted.gather(1, targets[:, None])).double().mean())


def softmax_cross_entropy_backward(
    rows: int,
    _classes: int,
    probabilities: Tensor,
    targets: Tensor,
    scale: float,
    grad: Tensor,
) -> None:
    grad.copy_(probabilities)
    grad[torch.arange(rows), targets] -= 1
    grad *= scale


def mean_squared_error(_size: int, outputs: Tensor, targets: Tensor, difference: Tensor) -> float:
    torch.sub(outputs, targets, out=difference)
    return float((difference.double() * difference.double()).mean())
