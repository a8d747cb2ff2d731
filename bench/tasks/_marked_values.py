"""Two marked values in a long sequence: what the adding and multiplication problems share.

Each layout draws pairs (value, marker) and says which two values count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from bench.kernels.losses import mean_squared_error
from bench.kernels.norms import is_finite
from bench.records import Signature
from bench.seeding import Stream
from bench.tasks import GeneratedTask
from bench.tasks._lengths import random_length


class Marked(NamedTuple):
    inputs: np.ndarray  # float32 [time, batch, 2]
    first: np.ndarray  # float64 [batch], the two values that count
    second: np.ndarray


def one_in_each_half(stream: Stream, length: int, size: int) -> Marked:
    """Values in [0, 1), one marked among the first T/2 steps and one among the others."""
    values = stream.uniform((length, size))  # on a grid that float32 holds
    half = length // 2
    first = stream.integers(0, half, (size,))
    return _mark(values, first, stream.integers(half, length, (size,)))


def two_anywhere(stream: Stream, length: int, size: int) -> Marked:
    """Values in [0, 1), two steps marked, each pair of steps as likely."""
    values = stream.uniform((length, size))
    first = stream.integers(0, length, (size,))
    return _mark(values, first, _another(stream, first, length))


def pascanu13(stream: Stream, length: int, size: int) -> Marked:
    """Marker before value; marks in the first tenth, and between it and the half.

    The windows are parts of the random length; a tenth is at least one step.
    """
    length = random_length(stream, length)
    values = stream.uniform((length, size))
    tenth = max(1, length // 10)
    first = stream.integers(0, tenth, (size,))
    second = stream.integers(tenth, max(length // 2, tenth + 1), (size,))
    inputs, *marked = _mark(values, first, second)
    return Marked(np.ascontiguousarray(inputs[..., ::-1]), *marked)


def hs97(stream: Stream, length: int, size: int, *, lowest: float, neutral: float) -> Marked:
    """Values in [lowest, 1); one mark among the first ten steps, one among the first T/2.

    The first and the last marker are -1. Where the mark falls on the first step it therefore does
    not show, and the value there becomes `neutral`.
    """
    values = lowest + (1 - lowest) * stream.uniform((random_length(stream, length), size))
    early, half = _hs97_windows(length)
    first = stream.integers(0, early, (size,))
    second = _another(stream, first, half)
    values[0, (first == 0) | (second == 0)] = neutral
    marked = _mark(values, first, second)
    markers = marked.inputs[..., 1]
    markers[0] = -1
    markers[-1] = np.where(markers[-1] == 1, 1, -1)  # which is marked where T = 2 alone
    return marked


def hs97_chance_of_the_first_step(length: int) -> float:
    """How often one of the two marks of `hs97` falls on the first step."""
    early, half = _hs97_windows(length)
    return 1 / early + (1 - 1 / early) / (half - 1)


def _hs97_windows(length: int) -> tuple[int, int]:
    half = max(2, length // 2)
    return min(10, half), half


def _another(stream: Stream, first: np.ndarray, end: int) -> np.ndarray:
    """int64 [batch] in [0, end), each step but `first` as likely."""
    second = stream.integers(0, end - 1, first.shape)
    return second + (second >= first)


def _mark(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> Marked:
    inputs = np.zeros((*values.shape, 2), dtype=np.float32)
    inputs[..., 0] = values
    everyone = np.arange(values.shape[1])
    inputs[first, everyone, 1] = inputs[second, everyone, 1] = 1
    return Marked(inputs, values[first, everyone], values[second, everyone])


class MarkedValuesTask(GeneratedTask):
    """A number for each sequence, from (value, marker) at every step; mean squared error."""

    variant: str
    length: int

    @property
    def varies_in_length(self) -> bool:
        return self.variant in ("hs97", "pascanu13")

    @property
    def signature(self) -> Signature:
        return Signature(input_size=2, output_size=1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)


TOLERATED = {"hs97": 0.04**2, "pascanu13": 0.04}
"""Variant -> the squared error above which a sequence is wrong: H&S compare the absolute error with
0.04, Pascanu et al. the squared one."""


def wrong_fraction(outputs: Tensor, targets: Tensor, variant: str) -> float:
    """Share of sequences that are wrong; NaN as soon as an output is not finite."""
    if not is_finite(outputs):
        return float("nan")
    errors = outputs.double() - targets.double()
    return float((errors * errors > TOLERATED[variant]).double().mean())
