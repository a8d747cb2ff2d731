"""BY WHAT: one file per architecture.

A member's dataclass holds the settings; `build(signature)` makes its `bench.network.Network`, whose
parameters get their numbers from `Network.initialise`. What the planner must know stands as literal
class variables:

    inputs    "sequence" ([time, batch, features]) or "vector" ([batch, features])
    gates     blocks of hidden units computed per layer and step (for the estimates of cost)
    stepwise  True where no kernel computes the whole network (for the estimates of cost; else left
              out)
    dispatch  microseconds that Python takes, there and back and beside the arithmetic, for a time
              step of a layer whose whole sequence is a loop in Python (for the estimates of cost;
              else left out)
    provides  what a mitigation can act on

        square_weights    matrices from hidden units to hidden units (roles recurrent, hidden)
        recurrent_weights matrices from one time step to the next (role recurrent)
        preactivation, state, feedback, skip    these sites (bench/network.py)
        hidden_states     h_t of every time step
        activation        one activation function for all units, network.activation
        no_shortcut       gradients pass through every weight matrix: nothing goes by beside it
        plain_recurrence  h_t = f(W h_{t-1} + ...), with f' = network.slopes(h)
        forget_gate       biases of a gate that keeps the state, network.forget_gate
        carry             a way from one time step to the next beside the recurrent product
        layers            a feed-forward stack, one layer after another
        plain_layers      h_l = f(W_l h_{l-1} + b_l): nothing passes by the weights
        branches          residual branches of two weight matrices, network.branches
"""

from __future__ import annotations

from typing import Protocol

from bench.network import Network
from bench.records import Signature


class Architecture(Protocol):
    """What training asks of an architecture."""

    def build(self, signature: Signature) -> Network: ...
