"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.kernels.updates import sgd
from bench.optimizers import Optimizer, OptimizerState
from bench.settings import Positive


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent: theta <- theta - lr g.

    A non-finite gradient makes its parameter non-finite.

    Reference: Robbins & Monro 1951.
    """

    portable: ClassVar[bool] = True
    rates: ClassVar[tuple[float, float]] = (0.0001, 1.0)

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
        sgd(parameters, gradients, learning_rate)
