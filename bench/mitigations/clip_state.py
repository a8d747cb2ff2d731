"""Clipping of the gradient that flows back through the states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.once import differentiable_once
from bench.mitigations import Mitigation
from bench.mitigations._gradients import row_lengths
from bench.network import Network
from bench.settings import Threshold


class _Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, state: Tensor, threshold: float) -> Tensor:
        ctx.threshold = threshold
        return state.view_as(state)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        sizes = row_lengths(grad)
        # In float64: float32 may not hold the factor.
        clipped = (grad.double() * (ctx.threshold / sizes)[:, None]).to(grad.dtype)
        return torch.where((sizes > ctx.threshold)[:, None], clipped, grad), None


class _ClipBackwards(nn.Module):
    """The identity of a state [batch, hidden]; each example's gradient is at most so long."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, state: Tensor) -> Tensor:
        return _Clip.apply(state, self.threshold)  # type: ignore[no-any-return, no-untyped-call]


@dataclass(frozen=True, kw_only=True)
class ClipState(Mitigation):
    """Clip the gradient that flows back through the states, at every time step of every example.

    dL/ds_t <- dL/ds_t min(1, threshold / |dL/ds_t|), for each example's row of every tensor s that
    a layer hands to its next time step, in the course of the backward pass: what step t - 1 gets
    comes from the clipped dL/ds_t, and so do the gradients of the weights at step t. For h_t it is
    the whole derivative, of the outputs of step t too; for an LSTM's c_t what step t + 1 hands back
    to it, since what comes through h_t has been clipped there. The threshold is for L as it is, the
    mean over the batch: it has to fall as the batch grows. Graves cuts the elements before the
    activation functions; rows keep their direction and need no gate of their own.
    With `threshold` inf nothing is inserted.

    A row that is not finite propagates unchanged: in float32 a step may overflow before it is seen.

    Reference: after Graves 2013, Generating sequences with recurrent neural networks,
    arXiv:1308.0850, section 2.1.
    """

    needs: ClassVar[tuple[str, ...]] = ("state",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.001, 0.01, 0.1, 1.0)}

    threshold: Threshold

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        if math.isfinite(self.threshold):
            network.insert("state", lambda _: _ClipBackwards(self.threshold))
