"""Leave out the updates whose gradient is far larger than usual."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Annotated, PositiveInt, Range


@dataclass
class _Memory:
    norms: deque[float]  # the last ones, as they came
    skipped: int = 0  # finite ones in a row


@dataclass(frozen=True, kw_only=True)
class SkipSpikes(Mitigation):
    """Leave out every update whose gradient is far larger than the usual one.

    theta_t = theta_{t-1} where |g_t| > factor median(last `window` norms), and no state of the
    optimiser changes. No update is a spike before there are `window` norms.

    It cannot lock itself up. The norms of skipped updates enter the window too: where gradients
    have become larger for good, the median follows within half a window. And where every update is
    a spike, since each is larger than the last, only `window` in a row are left out and the next
    one is taken. There is no paper's default; large models are reported to be trained past loss
    spikes by leaving out batches by hand.

    A gradient that is not finite is always skipped and never remembered. A run that only skips is
    found to be frozen, or diverged where its loss is not finite either.

    Reference: after the manual skipping of Chowdhery et al. 2022, PaLM, arXiv:2204.02311,
    section 5.1.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "skips"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"factor": (2.0, 10.0)}

    factor: Annotated[float, Range(at_least=1, finite=False)]
    window: PositiveInt

    def start(self, network: Network, seed: int) -> _Memory:
        return _Memory(deque(maxlen=self.window))

    def transform(self, network: Network, update: Update) -> None:
        norm, memory = update.gradient_norm, update.state
        if not math.isfinite(norm):
            update.skip = True
            return
        if self._is_spike(norm, memory) and memory.skipped < self.window:
            update.skip = True
            memory.skipped += 1
        else:
            memory.skipped = 0
        memory.norms.append(norm)

    def _is_spike(self, norm: float, memory: _Memory) -> bool:
        full = len(memory.norms) == self.window
        return full and norm > self.factor * _median(memory.norms)


def _median(norms: deque[float]) -> float:
    ascending, middle = sorted(norms), len(norms) // 2
    if len(norms) % 2:
        return ascending[middle]
    return ascending[middle - 1] / 2 + ascending[middle] / 2  # halved first: the sum may overflow
