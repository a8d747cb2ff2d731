"""Clipping of each gradient element."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import Threshold


@dataclass(frozen=True, kw_only=True)
class ClipValue(Mitigation):
    """Cut every element of the gradient off at a given size.

    g_i <- max(-threshold, min(threshold, g_i)). Mikolov uses 15; the baselines of Arjovsky et al.
    1. The direction changes, and the bound on |g| grows with the root of the number of parameters.

    Repairs infinite elements (they become the threshold); NaN propagates.

    Reference: Mikolov 2012, PhD thesis, Brno University of Technology, section 3.2.2.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "repairs"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.01, 0.1, 1.0, 10.0)}

    threshold: Threshold

    def transform(self, network: Network, update: Update) -> None:
        for parameter in network.parameters():
            if parameter.grad is not None:
                bound = self.threshold
                if math.isfinite(bound):  # a bound that the type cannot hold is an error in torch
                    bound = min(bound, torch.finfo(parameter.dtype).max)
                parameter.grad.clamp_(-bound, bound)
