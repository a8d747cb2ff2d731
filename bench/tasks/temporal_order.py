"""Say in which order two symbols came, long after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, GeneratedTask, accuracy

SYMBOLS = 6  # A, B and four distractors


@dataclass(frozen=True, kw_only=True)
class TemporalOrder(GeneratedTask):
    """The temporal order problem: which of A and B came first, which second: four classes.

        c d f A e c d c f e B d c e f d c c f e   ->  class (A, B) = 0 + 2 * 1 = 2

    One-hot symbols; the two that count stand at a random step of [0.1 T, 0.2 T) and [0.5 T, 0.6 T)
    (bounds rounded down),
    the other steps hold one of four distractors. Softmax at the last step; chance ln 4 and 1/4.
    Solved: fewer than 1 % of the sequences wrong.

    Reference: Hochreiter & Schmidhuber 1997, task 6a; this layout: the code released with Pascanu,
    Mikolov & Bengio 2013, arXiv:1211.5063.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    length: Annotated[int, Range(at_least=10)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=SYMBOLS, output_size=4)

    @property
    def chance_loss(self) -> float:
        return math.log(4)

    @property
    def chance_metric(self) -> float:
        return 0.25

    def generate(self, stream: Stream, size: int) -> Batch:
        symbols = stream.integers(2, SYMBOLS, (self.length, size))
        chosen = stream.integers(0, 2, (2, size))
        window = self.length // 10
        everyone = np.arange(size)
        for symbol, start in zip(chosen, (window, 5 * self.length // 10), strict=True):
            symbols[stream.integers(start, start + window, (size,)), everyone] = symbol
        return Batch(np.eye(SYMBOLS, dtype=np.float32)[symbols], (chosen[0] + 2 * chosen[1])[None])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs.flatten(0, 1), targets.flatten())

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score > 0.99
