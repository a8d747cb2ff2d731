"""Blocking the gradient through the hidden state at random."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from bench.mitigations import Mitigation
from bench.network import Network
from bench.seeding import Stream
from bench.settings import Range


class _DetachAtRandom(nn.Module):
    """The identity of what the gates see of h [batch, hidden]; without its past now and then."""

    def __init__(self, probability: float, stream: Stream) -> None:
        super().__init__()
        self.probability, self.stream = probability, stream

    def forward(self, hidden: Tensor) -> Tensor:
        if not (self.training and torch.is_grad_enabled()):  # an evaluation draws nothing
            return hidden
        (drawn,) = self.stream.uniform((1,))
        return hidden.detach() if drawn < self.probability else hidden


@dataclass(frozen=True, kw_only=True)
class HDetach(Mitigation):
    """Block the gradient through the hidden state into the gates at random time steps.

    dL/dh_{t-1} = 0 through the recurrent product of step t with probability p, for every t by
    itself; the way beside it, the cell of an LSTM or the carried part of a GRU's state, stays open.
    Values do not change. The paper uses p = 0.25 to 0.5 on copying, for the LSTM. As in its code
    there is one draw a time step for the whole batch; here one for each layer. It is made while
    training alone. With p = 0 nothing is inserted.

    A gradient that is not finite propagates where it is not blocked.

    Reference: Arpit et al. 2019, h-detach: modifying the LSTM gradient towards better optimization,
    arXiv:1810.03023.
    """

    needs: ClassVar[tuple[str, ...]] = ("carry", "feedback")
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"probability": (0.25, 0.5)}

    probability: Annotated[float, Range(at_least=0, at_most=1)]

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        places = count()

        def make(_: int) -> nn.Module:
            stream = Stream("mitigation noise", "h_detach", next(places), seed=seed)
            return _DetachAtRandom(self.probability, stream)

        if self.probability > 0:
            network.insert("feedback", make)
