"""Gradient descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import momentum
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Fraction, Positive


@dataclass(frozen=True, kw_only=True)
class Momentum(Optimizer):
    """Gradient descent with heavy-ball momentum: v <- momentum v + g, theta <- theta - lr v.

    One large gradient goes on acting for about 1 / (1 - momentum) updates; a non-finite one stays.

    Reference: Polyak 1964; in this form Sutskever et al. 2013.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (1e-05, 0.1)

    lr: Positive
    momentum: Fraction

    def start(self, parameters: Tensor) -> OptimizerState:
        return OptimizerState({"velocity": torch.zeros_like(parameters)})

    def update(
        self, parameters: Tensor, gradients: Tensor, state: OptimizerState, learning_rate: float
    ) -> None:
        momentum(parameters, gradients, state.vectors["velocity"], learning_rate, self.momentum)
