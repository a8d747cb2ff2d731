"""Batch normalisation, in a recurrent network with statistics of each time step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from bench.kernels.layers import linear
from bench.kernels.normalisation import layer_norm
from bench.mitigations import Mitigation
from bench.mitigations._broadcast import along_columns
from bench.network import Network
from bench.records import BadInput
from bench.settings import Annotated, Positive, Range


class _Normalisation(nn.Module):
    means: Tensor  # running averages, [time steps seen in training, width]
    variances: Tensor

    def __init__(self, width: int, gain: float, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum, self.time = eps, momentum, 0
        self.gain = nn.Parameter(torch.full((width,), gain))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("means", torch.zeros(0, width))
        self.register_buffer("variances", torch.zeros(0, width))

    def begin(self) -> None:
        self.time = 0

    def forward(self, values: Tensor) -> Tensor:
        time, self.time = self.time, self.time + 1
        if self.training:
            self._remember(time, values.detach())
        if self.training or not len(self.means):
            normalised = self._by_the_batch(values)
        else:
            normalised = self._by_what_was_seen(min(time, len(self.means) - 1), values)
        gain, bias = along_columns(self.gain, values), along_columns(self.bias, values)
        return normalised * gain + bias

    def _by_the_batch(self, values: Tensor) -> Tensor:
        examples = values.new_ones(len(values))
        # Over the batch what the other does over the units; gain and bias are those of units.
        columns = layer_norm(values.t(), examples, torch.zeros_like(examples), self.eps)
        return columns.t()

    def _by_what_was_seen(self, time: int, values: Tensor) -> Tensor:
        roots = torch.from_numpy(np.sqrt((self.variances[time] + self.eps).numpy()))
        return (values - self.means[time]) / roots

    def _remember(self, time: int, values: Tensor) -> None:
        """Update the averages of this time step; the first batch to reach it sets them."""
        means = linear(values.t(), values.new_ones(1, len(values))) / len(values)  # [width, 1]
        centred = values.t() - means
        squares = linear(centred * centred, values.new_ones(1, len(values)))
        new = means.t(), squares.t() / max(1, len(values) - 1)
        if time < len(self.means):
            for averages, now in zip((self.means, self.variances), new, strict=True):
                averages[time] += self.momentum * (now[0] - averages[time])
        else:
            self.means = torch.cat([self.means, new[0]])
            self.variances = torch.cat([self.variances, new[1]])


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Mitigation):
    """Normalise every pre-activation over the examples of the batch.

    z <- gain (z - mean z) / sqrt(var z + eps) + bias, before the activation function, with mean and
    variance over the batch, for every unit, gate and time step by itself; gain and bias are learnt
    and shared by the time steps. Cooijmans et al. start gain at 0.1, as at 1 the units of a
    recurrent network saturate and its gradients vanish; Ioffe & Szegedy start it at 1. bias starts
    at zero.

    Evaluation takes running averages, one for each time step seen in training and beyond them those
    of the last: average <- average + momentum (batch's - average), variances unbiased. The first
    batch to reach a time step sets its averages; before any, the batch's own serve. Cooijmans et
    al. normalise W x and U h apart, and the LSTM's cell too; here the sum is normalised once. A
    batch of one example, which has no variance, is refused.

    Where all examples of a batch have the same z, as in a prefix that is the same for all, its
    variance is zero and every time step multiplies gradients by gain / sqrt(eps).

    A gradient that is not finite propagates; one example that is not finite spoils its batch.

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167; Cooijmans et al. 2017, arXiv:1603.09025.
    """

    needs: ClassVar[tuple[str, ...]] = ("preactivation",)
    claims: ClassVar[tuple[str, ...]] = ("preactivation",)
    nonfinite: ClassVar[str] = "propagates"
    portable: ClassVar[bool] = True
    tries: ClassVar[dict[str, tuple[float, ...]]] = {"gain": (0.1, 1.0)}
    requires: ClassVar[dict[str, str]] = {
        "task.batch_size >= 2": "a batch of one example has no variance",
    }

    gain: Positive
    eps: Positive
    momentum: Annotated[float, Range(above=0, at_most=1)]

    def prepare(self, network: Network, seed: int, inputs: Tensor) -> None:
        if inputs.shape[-2] < 2:
            raise BadInput("batch_norm: a batch of one example has no variance; raise batch_size")
        network.insert(
            "preactivation",
            lambda width: _Normalisation(width, self.gain, self.eps, self.momentum),
        )
