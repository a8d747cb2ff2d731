"""Gradients of norm one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.kernels.norms import scale_
from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import gradients
from bench.network import Network


@dataclass(frozen=True, kw_only=True)
class NormalisedGradient(Mitigation):
    """Rescale every gradient to norm one, small ones too.

    g <- g / |g|, |g| over all parameters together. It is `clip_norm` with a threshold that goes to
    zero and a learning rate that grows as its inverse; no update is ever shorter than the learning
    rate, so that without a falling one it does not settle. A gradient of zero stays zero. It has no
    settings; Mikhaeil et al. (2022) use it as the baseline for recurrent networks.

    A gradient that is not finite has no direction to keep: it propagates unchanged.

    Reference: normalised gradient descent, Nesterov 1984; Hazan, Levy & Shalev-Shwartz 2015,
    arXiv:1507.02030.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True

    def transform(self, network: Network, update: Update) -> None:
        norm = update.gradient_norm
        if not 0 < norm < math.inf:
            return
        mantissa, exponent = math.frexp(norm)
        half = -exponent // 2
        # Powers of two are exact; the inverse of a norm of 1e-45 would be none in float32.
        for factor in (math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half), 1 / mantissa):
            scale_(gradients(network), factor)
