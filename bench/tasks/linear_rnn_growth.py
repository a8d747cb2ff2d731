"""An oracle for recurrent networks: gradients of a linear one grow by a known factor per step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import mean_squared_error
from bench.records import Signature
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, GeneratedTask


@dataclass(frozen=True, kw_only=True)
class LinearRNNGrowth(GeneratedTask):
    """Recall a vector after a silence: in a linear network, gradient growth is known exactly.

        step     0           1    2   ...  T-1
        input   (0.3, -1.2)  0    0   ...   0     ->  (0.3, -1.2), asked for at the last step

    T is `length`; the vector is standard normal. In architecture=rnn_linear kind=orthogonal gain=g
    the recurrent matrix is g times an orthogonal one, and the loss sees the last step alone, so
    that at the first update, whatever the inputs,

        |dL/dh_t| = g^(T - 1 - t) |dL/dh_(T-1)|      and      |h_t| = g^t |h_0|

    up to rounding of the weights to a grid of 2^-20: the suite's own measurement of gradient flow
    can be held against it (tests/tasks/test_oracles.py). Mean squared error, whose
    chance level is 1, of predicting 0 always. Solved: an error below 0.01.

    Reference: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, section 2.1: gradients of a linear
    recurrent network grow by the singular values of W^k. The task is this suite's.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    length: Annotated[int, Range(at_least=2)]
    features: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=self.features, output_size=self.features)

    @property
    def chance_loss(self) -> float:
        return 1.0

    @property
    def chance_metric(self) -> float:
        return 1.0

    def generate(self, stream: Stream, size: int) -> Batch:
        inputs = np.zeros((self.length, size, self.features), dtype=np.float32)
        inputs[0] = on_grid(stream.normal((size, self.features)))
        return Batch(inputs, inputs[:1].astype(np.float64))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return float(mean_squared_error(outputs.double(), targets.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < 0.01
