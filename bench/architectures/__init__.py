"""BY WHAT: one file per architecture.

A member's dataclass holds the settings; `build(signature)` makes its `bench.network.Network`, whose
parameters get their numbers from `Network.initialise`. What the planner must know stands as literal
class variables:

    inputs    "sequence" ([time, batch, features]) or "vector" ([batch, features])
    gates     blocks of hidden units computed per layer and step (for the estimates of cost)
    provides  what a mitigation can act on: square_weights, recurrent_weights, preactivation, state
"""

from __future__ import annotations

from typing import Protocol

from bench.network import Network
from bench.records import Signature


class Architecture(Protocol):
    """What training asks of an architecture."""

    def build(self, signature: Signature) -> Network: ...
