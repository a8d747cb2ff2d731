"""Repeat ten symbols after a long silence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.records import Signature
from bench.seeding import Stream
from bench.settings import EvaluationSize, PositiveInt
from bench.tasks import EXPLOSION_FACTOR, Batch, GeneratedTask, accuracy

RECALL = 10  # symbols to repeat
ALPHABET = 8
BLANK, MARKER = 8, 9


@dataclass(frozen=True, kw_only=True)
class CopyMemory(GeneratedTask):
    """The copying memory problem: ten symbols of eight, T blanks, then the ten again.

        input   4 1 7 ... 2 _ _ _ ... _ * _ _ _ ... _   ten symbols, T - 1 blanks, *, ten blanks
        target  _ _ _ ... _ _ _ _ ... _ _ 4 1 7 ... 2

    T is `length`, the whole sequence T + 20. Softmax cross-entropy over all steps (9 classes);
    without memory 10 ln 8 / (T + 20). The metric is the accuracy on the ten recall steps alone
    (chance 1/8), since the mean over T + 20 steps hides failure at long T. Solved: recall above
    0.99.

    Reference: Arjovsky, Shah & Bengio 2016, arXiv:1511.06464, section 5.1.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "recall_accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    length: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(
            input_size=ALPHABET + 2, output_size=ALPHABET + 1, output_steps=self.length + 2 * RECALL
        )

    @property
    def chance_loss(self) -> float:
        return RECALL * math.log(ALPHABET) / (self.length + 2 * RECALL)

    @property
    def explosion_bound(self) -> float:
        """A multiple of the uniform prediction's loss, which does not fall with T."""
        return EXPLOSION_FACTOR * math.log(ALPHABET + 1)

    @property
    def chance_metric(self) -> float:
        return 1 / ALPHABET

    def generate(self, stream: Stream, size: int) -> Batch:
        word = stream.integers(0, ALPHABET, (RECALL, size))
        symbols = np.full((self.length + 2 * RECALL, size), BLANK)
        symbols[:RECALL] = word
        symbols[self.length + RECALL - 1] = MARKER
        targets = np.full_like(symbols, BLANK)
        targets[-RECALL:] = word
        return Batch(np.eye(ALPHABET + 2, dtype=np.float32)[symbols], targets)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs[-RECALL:].flatten(0, 1), targets[-RECALL:].flatten())

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score > 0.99
