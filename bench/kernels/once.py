"""Refuse the second derivative of a backward pass that is written by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch


def differentiable_once(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A backward that raises RuntimeError where autograd would record it (create_graph=True).

    torch's once_differentiable raises later and not always: where the incoming derivative is a
    constant, as it is for a loss, the second derivative is silently lost.
    """

    @wraps(backward)
    def refusing(ctx: Any, *grads: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "a backward pass written by hand cannot be differentiated twice (create_graph=True)"
            )
        return backward(ctx, *grads)

    return refusing
