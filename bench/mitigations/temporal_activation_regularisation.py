"""A penalty on the change of the hidden states from one time step to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.kernels.norms import sum_of_squares
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class TemporalActivationRegularisation(Mitigation):
    """Add the mean square of the top layer's steps through time to the loss.

    loss <- loss + coefficient mean of (h_t - h_{t-1})^2 over time, examples and units. Merity et
    al. use 1 (TAR) in the released AWD-LSTM. The first state is not compared with the zeros before
    it. A coefficient of 0 leaves the loss alone.

    A gradient that is not finite propagates.

    Reference: Merity, McCann & Socher 2017, arXiv:1708.01009; Merity, Keskar & Socher 2017,
    arXiv:1708.02182.
    """

    needs: ClassVar[tuple[str, ...]] = ("hidden_states",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.1, 1.0, 10.0, 100.0)}
    reads_states: ClassVar[bool] = True

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        states = network.trace[-1].states
        if not self.coefficient or states is None or len(states) < 2:
            return torch.zeros(())
        change = states[1:] - states[:-1]
        return self.coefficient / change.numel() * sum_of_squares(change)
