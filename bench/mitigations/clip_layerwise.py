"""Clipping by the norm of each parameter's gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.kernels.norms import norm, scale_
from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network
from bench.settings import Threshold


@dataclass(frozen=True, kw_only=True)
class ClipLayerwise(Mitigation):
    """Rescale the gradient of each parameter tensor to at most a given norm.

    g_i <- g_i min(1, threshold / |g_i|) for every tensor i by itself: a layer's recurrent weights,
    its input weights, its biases. The direction of the whole gradient changes where some tensors
    are clipped and others are not; |g| is at most the threshold times the root of their number.
    Nobody's default: practice takes 0.1 to 10. Gates stacked in one tensor are clipped together.

    A tensor whose gradient is not finite propagates unchanged; the others are clipped all the same.

    Reference: the norm clip of Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, tensor by tensor.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.01, 0.1, 1.0, 10.0)}

    threshold: Threshold

    def transform(self, network: Network, update: Update) -> None:
        for gradient in gradients(network):
            size = norm(gradient)
            if math.isfinite(size) and size > self.threshold:
                scale_([gradient], self.threshold / size)
