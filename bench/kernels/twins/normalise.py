"""Twins of source/normalise.h."""

from __future__ import annotations

from torch import Tensor


def layer_norm(
    rows: int,
    width: int,
    eps: float,
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    normalised: Tensor,
    scales: Tensor,
    outputs: Tensor,
) -> None:
    table = x.reshape(rows, width)
    centred = table - table.double().mean(dim=1, keepdim=True).to(x.dtype)
    variance = (centred.double() * centred.double()).mean(dim=1)
    scales.copy_(1 / (variance + eps).sqrt())
    normalised.copy_((centred * scales[:, None]).view_as(x))
    outputs.copy_(normalised * gain + bias)


def layer_norm_backward(
    rows: int,
    width: int,
    gain: Tensor,
    normalised: Tensor,
    scales: Tensor,
    grad: Tensor,
    grad_x: Tensor,
    grad_gain: Tensor,
    grad_bias: Tensor,
) -> None:
    rows_grad, rows_normalised = grad.reshape(rows, width), normalised.reshape(rows, width)
    grad_gain += (rows_grad * rows_normalised).sum(dim=0)
    grad_bias += rows_grad.sum(dim=0)
    through = rows_grad * gain
    mean = through.mean(dim=1, keepdim=True)
    along = (through * rows_normalised).mean(dim=1, keepdim=True)
    grad_x.copy_(((through - mean - rows_normalised * along) * scales[:, None]).view_as(grad_x))
