"""Sequences of symbols, and softmax over classes at one or several steps."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.kernels.norms import is_finite
from bench.seeding import Stream
from bench.tasks import EXPLOSION_FACTOR, GeneratedTask, accuracy
from bench.tasks._lengths import random_length


def one_hot(symbols: np.ndarray, alphabet: int) -> np.ndarray:
    """float32 [..., alphabet]"""
    encoded: np.ndarray = np.eye(alphabet, dtype=np.float32)[symbols]
    return encoded


class ClassificationTask(GeneratedTask):
    """Cross-entropy over all outputs [output_steps, batch, classes]; the metric is accuracy."""

    @property
    def explosion_bound(self) -> float:
        """A multiple of the uniform prediction's loss: chance may be far below it."""
        return EXPLOSION_FACTOR * math.log(self.signature.output_size)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs.flatten(0, 1), targets.flatten())

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score > 0.99


def sequence_accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Share of the sequences that are right at every step; or NaN."""
    if not is_finite(outputs):
        return float("nan")
    return float((outputs.argmax(dim=2) == targets).all(dim=0).double().mean())


START, TRIGGER = 6, 7


def bits_among_distractors(
    stream: Stream, length: int, size: int, *, windows: tuple[int, ...], hs97: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Symbols [time, batch] and which of A = 0 and B = 1 stand in the windows, [windows, batch].

    Each window begins at so many hundredths of T (rounded down) and is a tenth of T wide; the other
    steps hold one of the distractors 2 to 5. With `hs97` the length is random in [T, 1.1 T), START
    comes first and TRIGGER last.
    """
    total = random_length(stream, length) if hs97 else length
    symbols = stream.integers(2, 6, (total, size))
    chosen = stream.integers(0, 2, (len(windows), size))
    everyone = np.arange(size)
    for symbol, hundredths in zip(chosen, windows, strict=True):
        start = hundredths * length // 100
        symbols[stream.integers(start, start + length // 10, (size,)), everyone] = symbol
    if hs97:
        symbols[0], symbols[-1] = START, TRIGGER
    return symbols, chosen
