"""MOVED HOW: one file per optimiser.

A member's dataclass holds the settings, `lr` among them, and states in the literal class variable
`rates` from which to which learning rate the protocol `tuned` looks. It works on one flat vector of
all parameters, by a kernel or with + - x / of torch alone, each correctly rounded everywhere:
torch.sqrt and torch.optim's fused forms (alpha=, lerp, addcmul) are not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class OptimizerState:
    """What an optimiser remembers: vectors as long as the parameters, and plain numbers."""

    vectors: dict[str, Tensor] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


class Optimizer(ABC):
    """What training asks of an optimiser."""

    lr: float

    @abstractmethod
    def start(self, parameters: Tensor) -> OptimizerState:
        """The state before the first update of `parameters` [N]."""

    @abstractmethod
    def update(
        self, parameters: Tensor, gradients: Tensor, state: OptimizerState, learning_rate: float
    ) -> None:
        """Move `parameters` [N] in place; `learning_rate` is `lr` times the schedule's factor."""
