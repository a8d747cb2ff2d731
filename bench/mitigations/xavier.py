"""Xavier (Glorot) initial weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from bench.mitigations import Mitigation
from bench.network import Network, draw_into


@dataclass(frozen=True, kw_only=True)
class Xavier(Mitigation):
    """Start every weight matrix between what keeps activations and what keeps gradients.

    W_0 = U[-a, a],  a = sqrt(6 / (inputs + outputs)): the variance 2 / (inputs + outputs) is the
    mean, in a sense, of 1 / inputs (forward) and 1 / outputs (backward) for units that are linear
    near zero. Acts on all weight matrices, the readout too, each gate's by itself; there is no gain
    for the activation function. The biases stay as they are.

    A gradient that is not finite propagates.

    Reference: Glorot & Bengio 2010, AISTATS (the normalised initialisation).
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("initial_weights",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for parameter, role in network.with_role("input", "recurrent", "hidden", "readout"):
            outputs, columns = parameter.shape[0] // len(role.gates), parameter.shape[1]
            # The variance of a draw is gain^2 / columns.
            gain = math.sqrt(2 * columns / (columns + outputs))
            draw_into(parameter, replace(role, kind="uniform", gain=gain), seed)
