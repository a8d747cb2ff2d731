"""Adaptive gradient clipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.mitigations import Mitigation, Update
from bench.mitigations._gradients import row_lengths
from bench.network import Network, Role
from bench.settings import Positive, Threshold


@dataclass(frozen=True, kw_only=True)
class AGC(Mitigation):
    """Bound the gradient of each unit by a fraction of the norm of its weights.

    G_i <- G_i min(1, threshold max(|W_i|, eps) / |G_i|) for the weights W_i into each unit i: the
    rows of every matrix, so that each gate of a unit counts by itself. The paper uses thresholds
    of 0.01 to 0.1, larger ones at smaller batches, and eps 1e-3, and leaves the last layer out; so
    does this, with its bias. A vector, such as a bias, is one unit as in the authors' code; one
    weight per unit (IndRNN) is as many units. Convolutions are what the paper clips, without any
    recurrence.

    A unit whose gradient or weights are not finite propagates unchanged; the others are clipped.

    Reference: Brock, De, Smith & Simonyan 2021, arXiv:2102.06171, section 4.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"threshold": (0.003, 0.01, 0.03, 0.1)}

    threshold: Threshold
    eps: Positive

    def transform(self, network: Network, update: Update) -> None:
        last = {role.layer for _, role in network.with_role("readout")}
        for name, parameter in network.named_parameters():
            role = network.roles.get(name)
            if parameter.grad is None or _belongs_to_readout(role, last):
                continue
            gradient = _by_unit(parameter.grad, role)
            allowed = self.threshold * row_lengths(_by_unit(parameter, role)).clamp(min=self.eps)
            size = row_lengths(gradient)
            # In float64: float32 may not hold the factor.
            scaled = gradient.double() * (allowed / size)[:, None]
            clipped = torch.where((size > allowed)[:, None], scaled.to(gradient.dtype), gradient)
            parameter.grad.copy_(clipped.view_as(parameter))


def _belongs_to_readout(role: Role | None, last: set[int]) -> bool:
    return role is not None and role.name in ("readout", "bias") and role.layer in last


def _by_unit(values: Tensor, role: Role | None) -> Tensor:
    """[units, weights into each]."""
    one_weight_each = role is not None and role.name == "diagonal"
    if values.dim() > 1 or one_weight_each:
        return values.detach().reshape(len(values), -1)
    return values.detach().reshape(1, -1)
