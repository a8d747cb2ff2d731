"""Gradient descent with Nesterov's momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.updates import sgd
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Fraction, Positive


@dataclass(frozen=True, kw_only=True)
class Nesterov(Optimizer):
    """Gradient descent with Nesterov's momentum, in the form that needs one gradient:

    v <- momentum v + g,  theta <- theta - lr (g + momentum v)

    This is torch.optim.SGD(nesterov=True). Sutskever et al. put lr into v and take the gradient
    where v will lead; with a constant lr these are the same steps, seen from that point. Values of
    momentum: 0.9 to 0.99.

    One large gradient goes on acting for about 1 / (1 - momentum) updates; a non-finite one stays.

    Reference: Nesterov 1983; Sutskever, Martens, Dahl & Hinton 2013, section 2.
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
        velocity = state.vectors["velocity"]
        velocity.mul_(self.momentum).add_(gradients)
        sgd(parameters, velocity * self.momentum + gradients, learning_rate)
