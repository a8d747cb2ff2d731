"""Forget gates that start with memories of every length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, Range


@dataclass(frozen=True, kw_only=True)
class Chrono(Mitigation):
    """Start each unit's gate so that it keeps its state for a random length of time.

    b_f = log U[1, longest - 1],  b_i = -b_f: at h = 0 and x = 0 the gate stands at 1 - 1/T for a
    unit of time scale T = 1 + U. In the GRU the gate z alone starts so, as h = (1 - z) n + z h
    couples both; the paper's z is the share that is new, and its sign the opposite. `longest` is
    T_max, of at least 2; 0 stands for the length of the sequences. Tallec & Ollivier use the
    length for adding and 3/2 of it for copying.

    A gradient that is not finite propagates.

    Reference: Tallec & Ollivier 2018, arXiv:1804.11188.
    """

    needs: ClassVar[tuple[str, ...]] = ("forget_gate",)
    # A normalisation before the gate takes the bias off again.
    claims: ClassVar[tuple[str, ...]] = ("initial_biases", "preactivation")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    longest: Annotated[int, Range(at_least=0)]

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        longest = max(2, self.longest or len(inputs))
        with torch.no_grad():
            for parameter, role in network.with_role("bias"):
                blocks = dict(zip(role.gates, parameter.chunk(len(role.gates)), strict=True))
                if network.forget_gate not in blocks:
                    continue
                block = blocks[network.forget_gate]
                scope = ("bias", role.layer, network.forget_gate, len(block))
                stream = Stream("initial weights", *scope, seed=seed)
                drawn = _log_uniform(longest, len(block), stream)
                block.copy_(drawn)
                if network.input_gate is not None:
                    blocks[network.input_gate].copy_(-drawn)


def _log_uniform(longest: int, count: int, stream: Stream) -> Tensor:
    """log U[1, longest - 1], on a grid: the logarithms of two libraries may differ in a bit."""
    times = 1 + (longest - 2) * stream.uniform((count,))
    return torch.from_numpy(on_grid(np.log(times)))
