"""Adam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import adam
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Fraction, Positive


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam: moving averages of g and g^2, both corrected for their start at zero.

    m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
    theta <- theta - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    A gradient whose square overflows (1e30 in float32) leaves v infinite: that coordinate never
    moves again, with finite loss and weights. Such a run is found to be frozen.

    Reference: Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (1e-05, 0.1)

    lr: Positive
    beta1: Fraction
    beta2: Fraction
    eps: Positive

    def start(self, parameters: Tensor) -> OptimizerState:
        return OptimizerState(
            {"average": torch.zeros_like(parameters), "square": torch.zeros_like(parameters)},
            # Powers by repeated product: pow() of the C library differs between processors.
            {"beta1_power": 1.0, "beta2_power": 1.0},
        )

    def update(
        self, parameters: Tensor, gradients: Tensor, state: OptimizerState, learning_rate: float
    ) -> None:
        average, square = state.vectors["average"], state.vectors["square"]
        state.numbers["beta1_power"] *= self.beta1
        state.numbers["beta2_power"] *= self.beta2
        betas = self.beta1, self.beta2
        powers = state.numbers["beta1_power"], state.numbers["beta2_power"]
        adam(parameters, gradients, average, square, learning_rate, betas, powers, self.eps)
