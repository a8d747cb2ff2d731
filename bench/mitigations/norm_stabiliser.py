"""A penalty on the change of the hidden state's norm from one time step to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.kernels.norms import sum_of_squares
from bench.kernels.sums import lengths
from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class NormStabiliser(Mitigation):
    """Keep the norm of the hidden state level through time.

    loss <- loss + coefficient mean of (|h_t| - |h_{t-1}|)^2 over time and examples, added up over
    the layers. Krueger & Memisevic try 0, 50, 500 and more. A state may still turn as it likes. The
    first state is not compared with the zeros before it. A coefficient of 0 leaves the loss alone.

    A gradient that is not finite propagates; finite states whose squares overflow make it so.

    Reference: Krueger & Memisevic 2016, arXiv:1511.08400.
    """

    needs: ClassVar[tuple[str, ...]] = ("hidden_states",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.5, 5.0, 50.0, 500.0)}
    reads_states: ClassVar[bool] = True

    coefficient: NonNegative

    def penalty(self, network: Network, memory: Any) -> Tensor:
        result = torch.zeros(())
        for tap in network.trace if self.coefficient else ():
            if tap.states is not None and len(tap.states) > 1:
                norms = lengths(tap.states)
                change = norms[1:] - norms[:-1]
                result = result + sum_of_squares(change) / change.numel()
        return self.coefficient * result
