"""Clipping at a percentile of the gradient norms seen so far."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass
from typing import ClassVar

from bench.kernels.norms import scale_
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Annotated, Range


@dataclass(frozen=True, kw_only=True)
class AutoClip(Mitigation):
    """Rescale the gradient to a percentile of all its norms so far, this one included.

    threshold_t = percentile p of |g_1|, ..., |g_t|;  g <- g min(1, threshold_t / |g|). The paper
    uses p = 10. Scaling the loss scales the thresholds with it. Percentile 100 never clips.

    Norms that are not finite do not enter the history, and such a gradient propagates unchanged.

    Reference: Seetharaman, Wichern, Pardo & Le Roux 2020, arXiv:2007.14469, section 2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"percentile": (1.0, 10.0, 25.0, 50.0)}

    percentile: Annotated[float, Range(at_least=0, at_most=100)]

    def start(self, network: Network, seed: int) -> list[float]:
        """The norms so far, in ascending order."""
        return []

    def transform(self, network: Network, update: Update) -> None:
        norm, history = update.gradient_norm, update.state
        if not math.isfinite(norm):
            return
        insort(history, norm)
        threshold = _percentile(history, self.percentile)
        if norm > threshold:
            scale_((p.grad for p in network.parameters() if p.grad is not None), threshold / norm)


def _percentile(ascending: list[float], percent: float) -> float:
    """Linear between the neighbours, as numpy.percentile, without a pass over the history."""
    position = percent / 100 * (len(ascending) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (position - below) * (ascending[above] - ascending[below])
