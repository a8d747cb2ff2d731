"""Initial weights at the edge of chaos."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.mitigations import Mitigation
from bench.mitigations._mean_field import input_drive, moments, root
from bench.network import Network, draw_into
from bench.records import BadInput
from bench.seeding import on_grid
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class Critical(Mitigation):
    """Start where squared gradients neither grow nor shrink from layer to layer.

    W_0 = N(0, sigma_w^2 / N) for the square matrices, b_0 = N(0, bias_variance) for the hidden
    layers' biases, sigma_w such that chi_1 = sigma_w^2 E[f'(z)^2] = 1 at the fixed point
    q = sigma_w^2 E[f(z)^2] + bias_variance of the variance of z = N(0, q). For tanh at bias
    variance 0.05 sigma_w^2 is 1.76. ReLU (sigma_w^2 = 2) and linear units (1) have chi_1 = 1 at
    every q, and a fixed point only without biases.

    In a recurrent network the inputs, of the first batch's mean square, add to the variance at
    every step as the biases do (Chen et al. 2018); an upper layer is treated as the first. Skips
    and normalisation are not counted. In place of the architecture's own kind and gain.

    A critical point that is not stable is refused: GELU has a stable one only where about 0.17 or
    more is added.

    A gradient that is not finite propagates.

    Reference: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232;
    Chen, Pennington & Schoenholz 2018, arXiv:1806.05394.
    """

    needs: ClassVar[tuple[str, ...]] = ("activation", "square_weights", "no_shortcut")
    claims: ClassVar[tuple[str, ...]] = ("initial_weights", "initial_biases")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    requires: ClassVar[dict[str, str]] = {
        "architecture.activation != 'gelu' or bias_variance >= 0.17": (
            "the critical point of gelu is not stable with so little added at every layer"
        ),
    }

    bias_variance: NonNegative

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        added = self.bias_variance
        if inputs.dim() == 3:
            added += input_drive(network, inputs)
        gain = critical_gain(network.activation, added)
        square = list(network.with_role("recurrent", "hidden"))
        for parameter, role in square:
            draw_into(parameter, replace(role, kind="gaussian", gain=gain), seed)
        readout = {role.layer for _, role in network.with_role("readout")}
        for parameter, role in network.with_role("bias"):
            if role.layer not in readout:
                # The variance of a draw is gain^2 / columns, and of a vector all are columns.
                gain = math.sqrt(self.bias_variance * len(parameter))
                draw_into(parameter, replace(role, kind="gaussian", gain=gain), seed)


def critical_gain(activation: str, added_variance: float) -> float:
    """sigma_w on the grid, where `added_variance` comes to q beside the layer before."""

    def excess(q: float) -> float:
        """What must be added for a fixed point at q where chi_1 = 1, less what is."""
        at = moments(activation, q)
        return q - at.square / at.slope_2 - added_variance

    q = root(excess, 0.0, 1e4)
    gain = 1 / math.sqrt(moments(activation, q).slope_2)
    # A fixed point repels where the map of variances is steeper than 1 (ReLU's and the identity's
    # is 1 everywhere).
    steps = [gain**2 * moments(activation, at).square for at in (q, 1.01 * q)]
    if steps[1] - steps[0] > 0.01 * q * (1 + 1e-3):
        raise BadInput(
            f"mitigation.critical.bias_variance: the critical point of {activation} is not stable "
            f"with {added_variance:g} added at every layer; give more (gelu: 0.2)"
        )
    return float(on_grid(np.array(gain)))
