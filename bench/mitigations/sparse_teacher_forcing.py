"""Sparse teacher forcing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.kernels.layers import linear
from bench.kernels.matrices import product
from bench.mitigations import Mitigation
from bench.network import Network
from bench.records import BadInput
from bench.settings import PositiveInt


@dataclass(frozen=True)
class _Observed:
    """One batch, and the readout as it stands."""

    time_steps: int
    targets: Tensor  # [the last time steps, batch, outputs]
    weight: Tensor  # [outputs, hidden]
    bias: Tensor  # [outputs]
    inverse: Tensor  # [hidden, outputs]


class _Force(nn.Module):
    """What the next time step gets of a state [batch, hidden] of the top layer."""

    def __init__(self, interval: int, *, is_hidden: bool) -> None:
        super().__init__()
        self.interval, self.is_hidden = interval, is_hidden
        self.time = 0
        self.upcoming: _Observed | None = None
        self.observed: _Observed | None = None

    def begin(self) -> None:
        # One batch serves one pass: the next, of other inputs, may be an evaluation.
        self.time, self.observed, self.upcoming = 0, self.upcoming, None

    def forward(self, state: Tensor) -> Tensor:
        self.time += 1
        if not self.training or self.observed is None or self.time % self.interval:
            return state
        index = self.time - 1 - self.observed.time_steps + len(self.observed.targets)
        if index < 0:
            return state
        state = state.detach()
        return _forced(state, self.observed, index) if self.is_hidden else state


@dataclass(frozen=True, kw_only=True)
class SparseTeacherForcing(Mitigation):
    """Put the state of the top layer where the observation says it is, every so many time steps.

    h_t <- h_t + W_out^+ (x_t - (W_out h_t + b_out)) at t = interval, 2 interval, ... with the
    observation x_t, which is the target of step t, and the right inverse of least norm
    W_out^+ = W_out^T (W_out W_out^T)^-1: the nearest state from which the readout gives x_t. It is
    a constant to the backward pass, so that every product of Jacobians ends there. Mikhaeil et al.
    advise an interval near ln 2 / lambda_max, the time in which an error doubles: 30 steps for
    their Lorenz system, where 5 and 200 were bad. Only in training: evaluations run freely.

    The prediction of step t is made from the state before: only the next step gets the forced one.
    Other tensors of the state (an LSTM's c) keep their values and are cut off from their past as
    well; layers below the top are left alone. The component of h_t that the readout does not see
    is kept, where the paper's inverse of the observation alone sets it. Where targets are given for
    the last steps alone, nothing is forced before them.

    A gradient that is not finite propagates, up to the next cut; a readout that has no inverse
    (rank below the number of outputs) makes a state that is not finite.

    Reference: Mikhaeil, Monfared & Durstewitz 2022, On the difficulty of learning chaotic dynamics
    with RNNs.
    """

    needs: ClassVar[tuple[str, ...]] = ("trajectory", "hidden_states", "state")
    claims: ClassVar[tuple[str, ...]] = ()
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[int, ...]]] = {"interval": (5, 15, 30, 60)}
    requires: ClassVar[dict[str, str]] = {
        "architecture.hidden_size >= 3": "a state must hold the 3 numbers that are observed",
    }

    interval: PositiveInt

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for weight, _ in network.with_role("readout"):
            if len(weight) > weight.shape[1]:
                raise BadInput(
                    f"sparse_teacher_forcing: hidden_size={weight.shape[1]} is too small, a state "
                    f"must hold the {len(weight)} numbers that are observed"
                )
        states = [key for key in network.site_widths if key.startswith("state")]
        top = max((_layer(key) for key in states), default=0)
        remaining = iter(states)

        def make(_: int) -> nn.Module:
            key = next(remaining)
            is_hidden = key == f"state_{top}_"
            return _Force(self.interval, is_hidden=is_hidden) if _layer(key) == top else _Same()

        network.insert("state", make, onward=True)

    def observe(self, network: Network, inputs: Tensor, targets: Tensor) -> None:
        forcing = [module for module in network.sites.modules() if isinstance(module, _Force)]
        if not forcing:
            return
        weight = network.tensor("readout").detach()
        bias = network.tensor("readout_bias").detach()
        observed = _Observed(len(inputs), targets, weight, bias, _right_inverse(weight))
        for module in forcing:
            module.upcoming = observed


class _Same(nn.Module):
    def forward(self, state: Tensor) -> Tensor:
        return state


def _layer(key: str) -> int:
    return int(key.split("_")[1])


def _forced(state: Tensor, observed: _Observed, index: int) -> Tensor:
    predicted = linear(state, observed.weight, observed.bias)
    return state + linear(observed.targets[index] - predicted, observed.inverse)


def _right_inverse(weight: Tensor) -> Tensor:
    """W^T (W W^T)^-1 [hidden, outputs] of W [outputs, hidden], in float64 until the end."""
    wide = weight.double()
    return product(wide.t(), _inverse(linear(wide, wide))).to(weight.dtype)


def _inverse(matrix: Tensor) -> Tensor:
    """Of a positive definite A [N, N], by elimination; not finite where it has none."""
    size = len(matrix)
    rows = torch.cat([matrix, torch.eye(size, dtype=matrix.dtype, device=matrix.device)], dim=1)
    for pivot in range(size):  # those of a positive definite matrix need not be searched for
        rows[pivot] = rows[pivot] / rows[pivot, pivot]
        for other in _all_but(pivot, size):
            rows[other] = rows[other] - rows[other, pivot] * rows[pivot]
    return rows[:, size:]


def _all_but(left_out: int, size: int) -> Iterator[int]:
    return (index for index in range(size) if index != left_out)
