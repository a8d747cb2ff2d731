"""Spike-aware clipping with momentum reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Fraction, PositiveInt, Threshold


@dataclass(frozen=True, kw_only=True)
class SPAM(Mitigation):
    """Cut single coordinates that spike, and let the optimiser start anew now and then.

    g_i <- sign(g_i) sqrt(threshold v_i) where g_i^2 > threshold v_i, then v_i <- beta v_i +
    (1 - beta) g_i^2. Every `interval` updates v and all that the optimiser remembers go back to
    zero, after which the learning rate rises linearly over `warmup` updates. The paper: threshold
    5000, beta 0.999 (v is Adam's own), interval 500, warmup 150.

    Differs: v is kept here whatever the optimiser, in float64, where the square of 1e30 does not
    overflow; a coordinate whose v_i is still zero is no spike (the authors' code cuts it to zero,
    and so for ever); the learning rate rises in a straight line and not along a cosine.

    Repairs infinite elements (they become the bound, except where v_i is zero: there they
    propagate); NaN propagates. Neither is remembered.

    Reference: Huang et al. 2025, SPAM: spike-aware Adam with momentum reset for stable LLM
    training, arXiv:2501.06842.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ("schedule",)
    nonfinite: ClassVar[str] = "repairs"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (50.0, 5000.0)}

    threshold: Threshold
    beta: Fraction
    interval: PositiveInt
    warmup: PositiveInt

    def start(self, network: Network, seed: int) -> dict[str, np.ndarray]:
        """v by the parameter's name, float64."""
        return {name: np.zeros(tuple(p.shape)) for name, p in network.named_parameters()}

    def schedule(self, step: int, steps: int) -> float:
        if step <= self.interval:
            return 1.0
        return min(1.0, ((step - 1) % self.interval + 1) / self.warmup)

    def transform(self, network: Network, update: Update) -> None:
        if update.step > 1 and (update.step - 1) % self.interval == 0:
            update.restart = True
            for squares in update.state.values():
                squares.fill(0)
        for name, squares in update.state.items():
            gradient = network.get_parameter(name).grad
            if gradient is not None:
                self._cut(gradient, torch.from_numpy(squares))
                self._remember(gradient, torch.from_numpy(squares))

    def _cut(self, gradient: Tensor, squares: Tensor) -> None:
        # torch's root is not correctly rounded everywhere; NumPy's is.
        bound = torch.from_numpy(np.asarray(np.sqrt((self.threshold * squares).numpy())))
        bound = bound.clamp(max=torch.finfo(gradient.dtype).max)
        spikes = (squares > 0) & (gradient.abs() > bound)
        cut = torch.where(gradient > 0, bound, -bound).to(gradient.dtype)
        gradient.copy_(torch.where(spikes, cut, gradient))

    def _remember(self, gradient: Tensor, squares: Tensor) -> None:
        wide = gradient.double()
        later = self.beta * squares + (1 - self.beta) * (wide * wide)
        squares.copy_(torch.where(later.isfinite(), later, squares))
