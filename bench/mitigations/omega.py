"""Pascanu's regulariser: a gradient that keeps its norm on its way back through time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.kernels.layers import linear
from bench.kernels.matrices import product
from bench.kernels.sums import total
from bench.mitigations import Mitigation, Update
from bench.network import Network
from bench.settings import NonNegative

BOUND = 1e-20
"""Of |dL/dh|^2: where there is less, there is no direction to keep."""


@dataclass(frozen=True, kw_only=True)
class Omega(Mitigation):
    """Add the derivative of a penalty on the change of |dL/dh_t| to that of the recurrent matrix.

    dL/dW <- dL/dW + coefficient dOmega/dW,  where d_t = dL/dh_t, a_t = d_t f'(h_t) and
    Omega = sum over t of mean_b (|a_t W|^2 / |d_t|^2 - 1)^2
            / sum over t of mean_b [|d_t|^2 >= 1e-20]

    d and h count as constants (the immediate derivative), so that no second pass through time is
    needed: dOmega/dW = sum of 4 (ratio - 1) / |d|^2 a^T (a W), over the same count. Before any
    clipping. Every step counts, the one out of h_0 = 0 too; mean_b is over the batch. Pascanu et
    al. use 4 for temporal order, 0.5 to 2 for other tasks.

    This is the rule as their released code has it, with squared norms; in the paper's formula they
    are norms. Its guard (a gradient that is not finite or above 1e10 becomes a shrinking of W) is
    not part of it. Several layers: each by itself. d is rescaled before it is squared, so that an
    exploding gradient does not overflow. A coefficient of 0 adds nothing.

    A gradient that is not finite propagates.

    Reference: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, section 3.3.
    """

    needs: ClassVar[tuple[str, ...]] = ("plain_recurrence", "recurrent_weights")
    claims: ClassVar[tuple[str, ...]] = ("preactivation",)  # its Jacobian knows no normalisation
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"coefficient": (0.5, 1.0, 2.0, 4.0)}
    watches: ClassVar[bool] = True
    reads_states: ClassVar[bool] = True

    coefficient: NonNegative

    def gradient_penalty(self, network: Network, update: Update) -> None:
        if not self.coefficient or not network.trace:
            return
        for name, role in network.names_of("recurrent"):
            tap = network.trace[role.layer]
            assert tap.states is not None  # reads_states
            slopes = network.slopes(tap.states.detach())  # type: ignore[operator]
            with torch.enable_grad():  # through a parametrisation, if there is one
                weight = network.tensor(name)
            added = _derivative(tap.total_derivative(), slopes, weight.detach())
            weight.backward(self.coefficient * added)  # type: ignore[no-untyped-call]


def _derivative(derivatives: Tensor, slopes: Tensor, weight: Tensor) -> Tensor:
    """dOmega/dW [hidden, hidden] from dL/dh_t and f'(h_t), both [time, batch, hidden]."""
    batch = derivatives.shape[1]
    largest = derivatives.abs().amax(dim=-1)
    # The ratio does not depend on the size of d, and squares of units do not overflow.
    unit = torch.where((largest != 0)[..., None], derivatives / largest[..., None], derivatives)
    length = _squares(unit)
    counts = ~(length < BOUND / (largest * largest))  # NaN counts
    sent = unit * slopes
    arrived = linear(sent, weight.t())
    ratio = _squares(arrived) / length
    pull = torch.where(counts, (ratio - 1) / length * (4 / batch), torch.zeros_like(ratio))
    hidden = weight.shape[0]
    summed = product((pull[..., None] * sent).reshape(-1, hidden).t(), arrived.reshape(-1, hidden))
    count = float(total(counts.to(torch.float64)))
    return summed / (count / batch) if count else torch.zeros_like(weight)


def _squares(values: Tensor) -> Tensor:
    """The sum of squares over the last axis."""
    return linear(values * values, values.new_ones(1, values.shape[-1])).squeeze(-1)
