"""Tell interleaved spirals apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.records import Signature
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, EvaluationSize, Positive, PositiveInt, Range
from bench.tasks import Batch, accuracy
from bench.tasks._vectors import GeneratedVectors

INNERMOST = 8 / 104
"""Radius of the inner end: the 97th point of Lang & Witbrock's, at (104 - 96) / 104."""


@dataclass(frozen=True, kw_only=True)
class Spirals(GeneratedVectors):
    """Interleaved spirals, to be told apart point by point.

        (0.0, 1.0) -> 0     (0.0, -1.0) -> 1      the outer ends of two, which wind inwards

    A point of spiral k of K, at the share u of its way from the outer end, u uniform on [0, 1):

        r = 1 - (1 - 8/104) u      angle = 2 pi (turns u + k / K)      x = r sin, y = r cos

    Lang & Witbrock's two spirals (K = 2, three turns, r in units of their 6.5), on the whole curve
    and with fresh points for every update instead of their 97 on each. Softmax; chance ln K and
    1/K. Solved: a validation accuracy of at least 0.99.

    Reference: Lang & Witbrock 1988, Learning to tell two spirals apart (Proceedings of the 1988
    Connectionist Models Summer School).
    """

    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True

    spirals: Annotated[int, Range(at_least=2, at_most=10)]
    turns: Positive
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=2, output_size=self.spirals)

    @property
    def chance_loss(self) -> float:
        return math.log(self.spirals)

    @property
    def chance_metric(self) -> float:
        return 1 / self.spirals

    def generate(self, stream: Stream, size: int, seed: int) -> Batch:  # noqa: ARG002
        spiral = stream.integers(0, self.spirals, (size,))
        way = stream.uniform((size,))
        radius = 1 - (1 - INNERMOST) * way
        angle = 2 * math.pi * (self.turns * way + spiral / self.spirals)
        # Sine and cosine differ in the last place between maths libraries.
        points = on_grid(np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1))
        return Batch(points.astype(np.float32), spiral)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs, targets)

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score >= 0.99
