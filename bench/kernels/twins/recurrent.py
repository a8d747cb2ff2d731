"""What the twins of the recurrent layers share."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.kernels.twins.reductions import norm


def first_bad_step(states: Tensor) -> int:
    """The first of states [T, B, H] that is not finite, or -1."""
    bad = ~torch.isfinite(states).flatten(1).all(dim=1)
    return int(bad.int().argmax()) if bool(bad.any()) else -1


def add_direct(total: Tensor, direct: Tensor) -> None:
    """total [T, B, H] = 0 but in the last steps, which the loss sees directly."""
    total.zero_()
    if len(direct):
        total[-len(direct) :] = direct


def note_norms(total: Tensor, norms: Tensor | None) -> None:
    if norms is not None:
        norms.copy_(torch.tensor([norm(step.numel(), step) for step in total], dtype=norms.dtype))


def earlier(states: Tensor, before: Tensor | None) -> Tensor:
    """[T, B, H]: the state that each step starts from."""
    first = torch.zeros_like(states[0]) if before is None else before
    return torch.cat([first[None], states[:-1]])


def add_weight_gradients(
    inputs: Tensor,
    input_weight: Tensor,
    delta: Tensor,
    through: Tensor,
    starts: Tensor,
    grad_inputs: Tensor | None,
    grad_input_weight: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
) -> None:
    """From dL/dp `delta` and dL/d(W h) `through`, [T, B, G H] each, and h_{t-1} `starts`."""
    rows, products = delta.flatten(0, 1), through.flatten(0, 1)
    grad_input_weight += rows.t() @ inputs.flatten(0, 1)
    grad_weight += products.t() @ starts.flatten(0, 1)
    grad_bias += rows.sum(dim=0)
    if grad_inputs is not None:
        grad_inputs.copy_((rows @ input_weight).view_as(grad_inputs))
