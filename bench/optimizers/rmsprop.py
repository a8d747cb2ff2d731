"""RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import rmsprop
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Fraction, Positive


@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    """RMSprop: v <- alpha v + (1 - alpha) g^2, theta <- theta - lr g / (sqrt(v) + eps).

    A gradient whose square overflows leaves v infinite: that coordinate never moves again, with
    finite loss and weights.

    Reference: Tieleman & Hinton 2012, lecture 6.5; eps outside the root.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (1e-05, 0.1)

    lr: Positive
    alpha: Fraction
    eps: Positive

    def start(self, parameters: Tensor) -> OptimizerState:
        return OptimizerState({"square_average": torch.zeros_like(parameters)})

    def update(
        self, parameters: Tensor, gradients: Tensor, state: OptimizerState, learning_rate: float
    ) -> None:
        average = state.vectors["square_average"]
        rmsprop(parameters, gradients, average, learning_rate, self.alpha, self.eps)
