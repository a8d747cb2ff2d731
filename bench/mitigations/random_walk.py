"""Random-walk initial weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.mitigations import Mitigation
from bench.mitigations._mean_field import input_drive, moments, root
from bench.network import Network, draw_into
from bench.seeding import on_grid


@dataclass(frozen=True, kw_only=True)
class RandomWalk(Mitigation):
    """Start the square matrices so that the log of the gradient's norm has no drift over depth.

    W_0 = N(0, g^2 / N), N units;  g = exp(1 / (2 N)) for linear units,
    g = sqrt(2) exp(1.2 / (max(N, 6) - 2.4)) for ReLU: above the values that keep the mean of the
    squared norm, since the log of a random walk drifts downwards (Jensen). In place of the
    architecture's own kind and gain.

    For the other functions the growth depends on the states, and g is the solution of
    0 = sum over layers of log(g^2 E[f'^2]) - (3 E[f'^4] / E[f'^2]^2 - 1) / (2 N)
    with the variances of mean-field theory (the second term is that of the finite width). The paper
    has no formula for tanh. This is close for tanh and SELU, rough for GELU, where the variances of
    narrow layers leave those of the theory. Layers of a recurrent network are its time steps,
    driven by inputs of the first batch's mean square; that its matrix is the same at every step is
    not counted.

    A gradient that is not finite propagates.

    Reference: Sussillo & Abbott 2014, arXiv:1412.6558.
    """

    needs: ClassVar[tuple[str, ...]] = ("activation", "square_weights", "no_shortcut")
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        square = list(network.with_role("recurrent", "hidden"))
        width, recurrent = square[0][0].shape[1], inputs.dim() == 3
        transitions = len(inputs) - 1 if recurrent else len(square)
        drive = input_drive(network, inputs)
        gain = driftless_gain(network.activation, width, transitions, drive, recurrent)
        for parameter, role in square:
            draw_into(parameter, replace(role, kind="gaussian", gain=gain), seed)


def driftless_gain(
    activation: str, width: int, transitions: int, drive: float, driven_on: bool
) -> float:
    """g on the grid. `drive` is the variance that the inputs give to the first pre-activations,
    and to all later ones where the network is `driven_on`."""
    if activation == "linear":
        gain = math.exp(1 / (2 * width))
    elif activation == "relu":
        gain = math.sqrt(2) * math.exp(1.2 / (max(width, 6) - 2.4))
    else:
        gain = root(lambda g: _drift(activation, width, transitions, drive, driven_on, g), 0.1, 10)
    return float(on_grid(np.array(gain)))


def _drift(
    activation: str, width: int, transitions: int, drive: float, driven_on: bool, gain: float
) -> float:
    """Of log |dL/dh|^2 on its way back through all layers, expected."""
    drift, now = 0.0, moments(activation, drive)
    for _ in range(transitions):
        now = moments(activation, gain**2 * now.square + (drive if driven_on else 0.0))
        spread = 3 * now.slope_4 / now.slope_2**2 - 1
        drift += math.log(gain**2 * now.slope_2) - spread / (2 * width)
    return drift
