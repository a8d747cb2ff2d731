"""Add two marked numbers of a long sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import mean_squared_error
from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, GeneratedTask


@dataclass(frozen=True, kw_only=True)
class Adding(GeneratedTask):
    """The adding problem: the sum of two marked numbers, one in each half of the sequence.

        value   0.31  0.92  0.44  0.08  0.70  0.15
        marker  0     1     0     0     0     1      ->  0.92 + 0.15 = 1.07

    Values are uniform on [0, 1); markers stand at a random step of the first and of the second
    half. Mean squared error at the last step. Predicting 1 always costs 2/12 = 1/6 (Le et al. print
    0.1767). Solved: an error below 0.01.

    Reference: Hochreiter & Schmidhuber 1997, task 4; this layout: Arjovsky, Shah & Bengio 2016,
    arXiv:1511.06464, section 5.2.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    length: Annotated[int, Range(at_least=2)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=2, output_size=1)

    @property
    def chance_loss(self) -> float:
        return 1 / 6

    @property
    def chance_metric(self) -> float:
        return 1 / 6

    def generate(self, stream: Stream, size: int) -> Batch:
        inputs = np.zeros((self.length, size, 2), dtype=np.float32)
        values, markers = inputs[..., 0], inputs[..., 1]
        values[:] = stream.uniform((self.length, size))  # on a grid that float32 holds
        half, everyone = self.length // 2, np.arange(size)
        first = stream.integers(0, half, (size,))
        second = stream.integers(half, self.length, (size,))
        markers[first, everyone] = markers[second, everyone] = 1
        sums = values[first, everyone].astype(np.float64) + values[second, everyone]
        return Batch(inputs, sums[None, :, None])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return float(mean_squared_error(outputs.double(), targets.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < 0.01
