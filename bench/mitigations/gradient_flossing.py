"""Gradient flossing: Lyapunov exponents pushed to zero before training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bench import initial_weights
from bench.kernels.layers import linear
from bench.kernels.norms import norm
from bench.kernels.sums import lengths, total
from bench.mitigations import Mitigation
from bench.mitigations._broadcast import along_rows
from bench.network import Network
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, Positive, PositiveInt, Range

LONGEST = 100
"""Time steps of the batch that are followed at most; more would cost more and tell the same."""
BETWEEN = 10
"""Time steps between two orthonormalisations."""


def orthonormalise(columns: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """(Q, diagonal of R) of k columns [examples, units], of every example by itself.

    Gram-Schmidt twice: once leaves columns that were nearly parallel not orthogonal (Giraud et al.
    2005).
    """
    frame: list[Tensor] = []
    diagonal = []
    for column in columns:
        for other in frame + frame:
            overlap = linear(column * other, column.new_ones(1, column.shape[1]))
            column = column - along_rows(overlap[:, 0], other) * other
        length = lengths(column, eps=1e-30)
        frame.append(column * along_rows(1 / length, column))
        diagonal.append(length)
    return frame, diagonal


def stretches(weight: Tensor, slopes: Tensor, start: list[Tensor]) -> list[Tensor]:
    """For each exponent the factors [intervals x examples] by which J_T ... J_1 stretches.

    J_t = diag(slopes[t]) W, from slopes [time, examples, units].
    """
    frame, found = start, []
    for time, slope in enumerate(slopes, start=1):
        products = linear(torch.cat(frame), weight).chunk(len(frame))
        frame = [slope * product for product in products]
        if time % BETWEEN == 0 or time == len(slopes):
            frame, diagonal = orthonormalise(frame)
            found.append(diagonal)
    return [torch.cat(factors) for factors in zip(*found, strict=True)]


def _exponents(factors: list[Tensor], time: int) -> list[float]:
    """lambda_i = mean over the examples of log(stretch) / time; on a grid, as logarithms differ in
    the last place between two maths libraries."""
    logs = [np.log(each.detach().double().numpy()) for each in factors]
    intervals = -(-time // BETWEEN)
    return [float(on_grid(each.sum() * intervals / (time * each.size))) for each in logs]


def _gradient(weight: Tensor, slopes: Any, states: Tensor, start: list[Tensor]) -> Tensor:
    """d(sum of lambda_i^2)/dW along h_1 .. h_T, the derivative of h_t taken one step back."""
    time, batch, hidden = states.shape
    before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    product = linear(before.reshape(-1, hidden), weight).view_as(states)
    # The same numbers; now they know how W moves them.
    states = states + slopes(states) * (product - product.detach())
    factors = stretches(weight, slopes(states), start)
    loss = torch.zeros(())
    for exponent, each in zip(_exponents(factors, time), factors, strict=True):
        # d(lambda^2) = 2 lambda sum of d(stretch) / stretch, over time and batch.
        loss = loss + total(each * (2 * exponent / (time * batch) / each.detach()))
    (gradient,) = torch.autograd.grad(loss, weight)
    return gradient


@dataclass(frozen=True, kw_only=True)
class GradientFlossing(Mitigation):
    """Push the first Lyapunov exponents of a plain recurrence to zero before training.

    W <- W - rate_n g / max(1, |g|), g = d(lambda_1^2 + ... + lambda_k^2)/dW, for n = 1 .. updates
    lambda_i = 1/T sum_t log r_t,ii,  Q_t R_t = J_t Q_{t-1},  J_t = diag(f'(z_t)) W

    rate_n falls linearly from rate to zero. The exponents are those along the first batch, its
    first 100 time steps at most, averaged over its examples, for the recurrent matrix of each layer
    by itself. At zero a gradient neither explodes nor vanishes in those directions.

    Engelken's rule is the descent on the squares by a differentiable QR. Our choices: plain descent
    with a bounded step; Q starts at the same random frame each time, no transient is left out, and
    it is made orthonormal every 10 steps; the derivative of h_t with respect to W is taken one time
    step back and not through the whole trajectory, where it explodes itself (gain 3, T = 100: to
    1e9, and the descent wandered). Flossing during training is not offered.

    A gradient that is not finite propagates; during the flossing it ends it.

    Reference: Engelken 2023, arXiv:2312.17306.
    """

    needs: ClassVar[tuple[str, ...]] = ("plain_recurrence", "recurrent_weights")
    # It takes the initial weights as it finds them, and no other Jacobian than the plain one.
    claims: ClassVar[tuple[str, ...]] = ("parametrisation", "preactivation")
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    prepares: ClassVar[tuple[str, ...]] = ("updates", "exponents")

    exponents: Annotated[int, Range(at_least=1, at_most=10)]
    updates: PositiveInt
    rate: Positive

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        for done in range(self.updates):
            rate = self.rate * (1 - done / self.updates)
            states = _states(network, inputs[:LONGEST])
            for weight, role in network.with_role("recurrent"):
                start = self._start(weight, seed, inputs.shape[1])
                slopes: Any = network.slopes
                gradient = _gradient(weight, slopes, states[role.layer], start)
                size = norm(gradient)
                if not math.isfinite(size):
                    return
                with torch.no_grad():
                    weight.sub_(gradient * (rate / max(1.0, size)))

    def _start(self, weight: Tensor, seed: int, examples: int) -> list[Tensor]:
        """The first columns of a random orthogonal matrix, the same for every example."""
        hidden = len(weight)
        stream = Stream("mitigation noise", "gradient_flossing", hidden, seed=seed)
        frame = initial_weights.draw("orthogonal", (hidden, hidden), 1.0, stream)
        columns = torch.from_numpy(frame).to(weight.dtype).t()[: self.exponents]
        return [column.expand(examples, hidden) for column in columns]


def _states(network: Network, inputs: Tensor) -> list[Tensor]:
    """h [time, batch, hidden] of every layer."""
    network.states_are_read = True
    with torch.no_grad():
        network(inputs)
    network.states_are_read = False
    return [tap.states for tap in network.trace if tap.states is not None]
