"""Truncated backpropagation through time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.mitigations import Mitigation
from bench.network import Network
from bench.settings import PositiveInt


class _Cut(nn.Module):
    """The identity of a state; every so many time steps without its past."""

    def __init__(self, interval: int) -> None:
        super().__init__()
        self.interval, self.time = interval, 0

    def begin(self) -> None:
        self.time = 0

    def forward(self, state: Tensor) -> Tensor:
        self.time += 1
        return state if self.time % self.interval else state.detach()


@dataclass(frozen=True, kw_only=True)
class TruncatedBPTT(Mitigation):
    """Cut the gradient between time steps into windows of equal length.

    dL/dx_t = 0 across a cut: what steps t + 1, t + 2, ... receive of the states of step
    t = interval, 2 interval, ... is a constant to the backward pass, for every state tensor of
    every layer. States go on unchanged, so that no prediction changes; a gradient runs through at
    most `interval` steps, as a product of at most `interval` - 1 Jacobians, and no dependence
    longer than that is learnt on purpose. Each window is counted from the first step: the last one
    of a sequence is shorter where the length is not a multiple. This is BPTT(h; h'), h = h', of
    Williams & Peng; there is one update for the whole sequence, not one for each window.

    A gradient that is not finite propagates, within its window.

    Reference: Williams & Peng 1990, An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories.
    """

    needs: ClassVar[tuple[str, ...]] = ("state",)
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[int, ...]]] = {"interval": (5, 10, 25, 50)}

    interval: PositiveInt

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        network.insert("state", lambda _: _Cut(self.interval), onward=True)
