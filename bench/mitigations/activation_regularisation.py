"""A penalty on the size of the hidden states."""

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
class ActivationRegularisation(Mitigation):
    """Add the mean square of the top layer's hidden states to the loss.

    loss <- loss + coefficient mean of h_t^2 over time, examples and units. Merity et al. use 2 (AR)
    in the released AWD-LSTM, on states after dropout; there is no dropout here. A coefficient of 0
    leaves the loss alone.

    A gradient that is not finite propagates.

    Reference: Merity, McCann & Socher 2017, arXiv:1708.01009; Merity, Keskar & Socher 2017,
    arXiv:1708.02182.
    """

    needs: ClassVar[tuple[str, ...]] = ("hidden_states",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.02, 0.2, 2.0, 20.0)}
    reads_states: ClassVar[bool] = True

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        states = network.trace[-1].states
        if not self.coefficient or states is None:
            return torch.zeros(())
        return self.coefficient / states.numel() * sum_of_squares(states)
