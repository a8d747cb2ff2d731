"""Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import adam
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Fraction, NonNegative, Positive


@dataclass(frozen=True, kw_only=True)
class AdamW(Optimizer):
    """Adam whose weights shrink by themselves, apart from the gradient.

    theta <- theta - lr weight_decay theta, then as Adam:
    m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
    theta <- theta - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    As torch.optim.AdamW: lr multiplies the decay, where the paper multiplies it by the schedule's
    factor alone, and every parameter shrinks, biases too. `adam` with the mitigation `weight_decay`
    leaves biases alone.

    A gradient whose square overflows (1e30 in float32) leaves v infinite: that coordinate goes on
    shrinking and never moves otherwise. A NaN stays in m and v, and in the weight.

    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (1e-05, 0.1)

    lr: Positive
    beta1: Fraction
    beta2: Fraction
    eps: Positive
    weight_decay: NonNegative

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
        parameters.mul_(1 - learning_rate * self.weight_decay)
        adam(parameters, gradients, average, square, learning_rate, betas, powers, self.eps)
