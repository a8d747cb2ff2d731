"""Clipping of gradient norms that are outliers among the recent ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from bench.kernels.norms import scale_
from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network
from bench.settings import Fraction, PositiveInt, Threshold


@dataclass
class _Memory:
    """Of the norms, after clipping."""

    first: list[float] = field(default_factory=list)  # those of the warm-up
    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ZClip(Mitigation):
    """Clip a gradient whose norm is an outlier by its z-score among the recent norms.

    z_t = (|g_t| - mean) / deviation;  where z_t > z_threshold:
    g <- g / |g| (mean + z_threshold deviation (z_threshold / z_t)), so that the further off a norm
    is, the nearer to the mean it is brought. Mean and variance are those of the first `warmup`
    norms, then averages that decay by `decay` and take in the norm as it was clipped:
    mean <- decay mean + (1 - decay) |g|, variance alike with (|g| - new mean)^2. `cap` clips every
    norm besides, after this and unseen by the averages. The authors' defaults: decay 0.97,
    z_threshold 2.5, warmup 25, and a cap of 1, which by itself is `clip_norm`: here there is none.

    Without their 1e-6 added to the deviation: scaling the loss scales every threshold with it.
    A norm of zero is nothing to compare with and is not remembered.

    Norms that are not finite are not remembered, and such a gradient propagates unchanged.

    Reference: Kumar et al. 2025, ZClip: adaptive spike mitigation for LLM pre-training,
    arXiv:2504.02507.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"z_threshold": (1.5, 2.5)}

    decay: Fraction
    z_threshold: Threshold
    warmup: PositiveInt
    cap: Threshold

    def start(self, network: Network, seed: int) -> _Memory:
        return _Memory()

    def transform(self, network: Network, update: Update) -> None:
        norm, memory = update.gradient_norm, update.state
        if not 0 < norm < math.inf:
            return
        target = norm
        if len(memory.first) < self.warmup:
            memory.first.append(norm)
            if len(memory.first) == self.warmup:
                memory.mean, memory.deviation = _mean_and_deviation(memory.first)
        else:
            target = self._adapted(norm, memory)
            self._remember(target, memory)
        target = min(target, self.cap)
        if target < norm:
            scale_(gradients(network), target / norm)

    def _adapted(self, norm: float, memory: _Memory) -> float:
        excess, bound = norm - memory.mean, self.z_threshold * memory.deviation
        return memory.mean + bound * (bound / excess) if excess > bound else norm

    def _remember(self, norm: float, memory: _Memory) -> None:
        memory.mean = self.decay * memory.mean + (1 - self.decay) * norm
        squares = (memory.deviation, self.decay), (norm - memory.mean, 1 - self.decay)
        memory.deviation = _root_of_squares(squares)


def _mean_and_deviation(norms: list[float]) -> tuple[float, float]:
    share = 1 / len(norms)
    mean = sum(norm * share for norm in norms)
    return mean, _root_of_squares([(norm - mean, share) for norm in norms])


def _root_of_squares(weighted: Sequence[tuple[float, float]]) -> float:
    """sqrt of the sum of weight x^2; the squares do not overflow."""
    largest = max(abs(x) for x, _ in weighted)
    if largest == 0:
        return 0.0
    return largest * math.sqrt(
        sum(weight * (x / largest) * (x / largest) for x, weight in weighted)
    )
