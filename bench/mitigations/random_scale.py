"""The factors of norm clipping, given to other updates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from bench.kernels.norms import scale_
from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network
from bench.seeding import Stream
from bench.settings import Threshold


@dataclass
class _Memory:
    stream: Stream
    factors: list[float] = field(default_factory=list)  # the clip's own, of the updates so far


@dataclass(frozen=True, kw_only=True)
class RandomScale(Mitigation):
    """Scale updates by the factors of norm clipping, but at random: a control.

    g_t <- g_t f_s, s drawn evenly from 1, ..., t - 1, where f_s = min(1, threshold / |g_s|) is what
    `clip_norm` would have done to update s. Updates are shortened as often and as much as by the
    clip, and whatever the clip gains over this comes from shortening the right ones. The factor
    does not depend on the present gradient; the first update alone, which has no past, uses its own
    f_1. All factors are kept, one number an update.

    A gradient that is not finite propagates unchanged, has no factor and draws none.

    Reference: none; a control of this project. The clip: Pascanu, Mikolov & Bengio 2013,
    arXiv:1211.5063.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.1, 1.0, 10.0, 100.0)}

    threshold: Threshold

    def start(self, network: Network, seed: int) -> _Memory:
        return _Memory(Stream("mitigation noise", "random_scale", seed=seed))

    def transform(self, network: Network, update: Update) -> None:
        norm, memory = update.gradient_norm, update.state
        if not math.isfinite(norm):
            return
        own = 1.0 if norm <= self.threshold else self.threshold / norm
        factor = _drawn(memory) if memory.factors else own
        memory.factors.append(own)
        if factor < 1:
            scale_(gradients(network), factor)


def _drawn(memory: _Memory) -> float:
    (index,) = memory.stream.integers(0, len(memory.factors), (1,))
    return memory.factors[int(index)]
