"""Descent by the sign of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import sgd
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Positive


@dataclass(frozen=True, kw_only=True)
class SignSGD(Optimizer):
    """Move every parameter by the learning rate against the sign of its gradient.

    theta <- theta - lr sign(g),  sign(0) = 0

    How large a gradient is makes no difference: it cannot throw a weight further than lr.

    An infinite gradient moves its parameter by lr as any other; NaN has no sign and makes it NaN
    (torch.sign(nan) is 0, which would hide it).

    Reference: Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv:1802.04434, algorithm 1.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (1e-06, 0.01)

    lr: Positive

    def start(self, parameters: Tensor) -> OptimizerState:  # noqa: ARG002
        return OptimizerState()

    def update(
        self,
        parameters: Tensor,
        gradients: Tensor,
        state: OptimizerState,  # noqa: ARG002
        learning_rate: float,
    ) -> None:
        # What is neither above nor below zero, zero itself and NaN, stays what it is.
        signs = torch.where(gradients > 0, 1.0, torch.where(gradients < 0, -1.0, gradients))
        sgd(parameters, signs.to(gradients.dtype), learning_rate)
