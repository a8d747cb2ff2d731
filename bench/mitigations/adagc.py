"""Clipping of each parameter's gradient relative to its own past."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from bench.kernels.norms import norm, scale_
from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network
from bench.settings import Fraction, PositiveInt, Range, Threshold


@dataclass(frozen=True, kw_only=True)
class AdaGC(Mitigation):
    """Clip the gradient of each parameter tensor relative to an average of its clipped norms.

    g_i <- g_i min(1, ratio gamma_i / |g_i|),  then gamma_i <- beta gamma_i + (1 - beta) |g_i| with
    the norm as it was clipped. In the first `warmup` updates the whole gradient is clipped to
    `threshold` instead, and gamma_i is the smallest clipped norm so far. The paper: ratio 1.05,
    beta 0.98, threshold 1, warmup 100. From one update to the next gamma_i grows by at most the
    factor beta + (1 - beta) ratio, 1.001 there: a gradient that has to grow is held back for long.

    Differs: a norm of zero is not remembered, since a gamma_i of zero would never let that tensor
    move again.

    Norms that are not finite are not remembered, and such a tensor propagates unchanged (during the
    warm-up: the whole gradient).

    Reference: Wang et al. 2025, AdaGC: improving training stability for large language model
    pretraining, arXiv:2502.11034.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"ratio": (1.05, 1.5)}

    ratio: Annotated[float, Range(at_least=1, finite=False)]
    beta: Fraction
    threshold: Threshold
    warmup: PositiveInt

    def start(self, network: Network, seed: int) -> dict[str, float]:
        """gamma by the parameter's name."""
        return {}

    def transform(self, network: Network, update: Update) -> None:
        if update.step <= self.warmup:
            self._warm_up(network, update.gradient_norm, update.state)
        else:
            self._clip_each(network, update.state)

    def _warm_up(self, network: Network, whole: float, gammas: dict[str, float]) -> None:
        if not math.isfinite(whole):
            return
        if whole > self.threshold:
            scale_(gradients(network), self.threshold / whole)
        for name, size in _sizes(network).items():
            gammas[name] = min(size, gammas.get(name, math.inf))

    def _clip_each(self, network: Network, gammas: dict[str, float]) -> None:
        for name, size in _sizes(network).items():
            gamma = gammas.get(name, size)  # the first that is not zero has no past
            allowed = min(size, self.ratio * gamma)
            if allowed < size:
                gradient = network.get_parameter(name).grad
                assert gradient is not None
                scale_([gradient], allowed / size)
            gammas[name] = self.beta * gamma + (1 - self.beta) * allowed


def _sizes(network: Network) -> dict[str, float]:
    """Name -> |g| of the parameters whose gradient is neither zero nor not finite."""
    sizes = {name: norm(p.grad) for name, p in network.named_parameters() if p.grad is not None}
    return {name: size for name, size in sizes.items() if 0 < size < math.inf}
