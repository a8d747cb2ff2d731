"""Noise on the gradient that fades."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network
from bench.seeding import NORMAL_GRID, Stream, on_grid
from bench.settings import NonNegative


@dataclass(frozen=True, kw_only=True)
class GradientNoise(Mitigation):
    """Add Gaussian noise to every element of the gradient, less of it from update to update.

    g_t <- g_t + N(0, sigma_t^2),  sigma_t^2 = eta / (1 + t)^decay with t = 0 at the first update.
    The paper takes eta from 0.01, 0.3 and 1, and decay 0.55. The noise does not know how large the
    gradient is: it matters where gradients are small. In `clip_norm+gradient_noise` it is added to
    the clipped gradient, in the other order it is clipped with it. Normals and sigma_t lie on
    grids, so that they are the same on every machine.

    A gradient that is not finite propagates.

    Reference: Neelakantan et al. 2015, Adding gradient noise improves learning for very deep
    networks, arXiv:1511.06807, section 3.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"eta": (0.01, 0.1, 0.3, 1.0)}

    eta: NonNegative
    decay: NonNegative

    def start(self, network: Network, seed: int) -> Stream:
        return Stream("mitigation noise", "gradient_noise", seed=seed)

    def transform(self, network: Network, update: Update) -> None:
        if self.eta == 0:
            return
        deviation = self._deviation(update.step)
        for gradient in gradients(network):
            noise = deviation * on_grid(update.state.normal(tuple(gradient.shape)))
            gradient.add_(torch.from_numpy(np.asarray(noise)).to(gradient.dtype))

    def _deviation(self, step: int) -> float:
        """sigma, with so few digits that two maths libraries agree on them."""
        # By the root of eta apart, or the square of a small one would underflow.
        exact = math.sqrt(self.eta) * float(step) ** (-self.decay / 2)
        mantissa, exponent = math.frexp(exact)
        return math.ldexp(float(np.round(mantissa / NORMAL_GRID)) * NORMAL_GRID, exponent)
