"""An oracle for deep networks: gradients of a linear one grow by a known factor per layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.initial_weights import draw
from bench.kernels.layers import linear
from bench.kernels.losses import mean_squared_error
from bench.records import Signature
from bench.seeding import Stream, on_grid
from bench.settings import EvaluationSize, PositiveInt
from bench.tasks import Batch
from bench.tasks._vectors import GeneratedVectors


@dataclass(frozen=True, kw_only=True)
class DeepLinearGrowth(GeneratedVectors):
    """Regression to a random rotation: in a linear network, gradient growth is known exactly.

        x = (0.3, -1.2, 0.8)  ->  y = Q x = (0.9, 0.7, -0.9)      Q orthogonal, |y| = |x|

    Inputs are standard normal, Q is drawn for each seed. In architecture=mlp activation=linear
    kind=orthogonal gain=g every layer but the first is g times an orthogonal matrix, so that at the
    first update, whatever the loss,

        |dL/dh_l| = g^(L - l) |dL/dh_L|      l = 1 ... L layers

    up to rounding of the weights to a grid of 2^-20: the suite's own measurement of gradient flow
    can be held against it (tests/tasks/test_oracles.py). Mean squared error, whose
    chance level is 1, of predicting 0 always. Solved: an error below 0.01.

    Reference: Saxe, McClelland & Ganguli 2014, arXiv:1312.6120, whose networks are these; that
    gradients keep their norm at g = 1, at any depth, is theirs. The task is this suite's.
    """

    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True

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

    def generate(self, stream: Stream, size: int, seed: int) -> Batch:
        inputs = on_grid(stream.normal((size, self.features))).astype(np.float32)
        # NumPy's own product has other bits with every BLAS.
        targets = linear(torch.from_numpy(inputs.astype(np.float64)), _rotation(self, seed))
        return Batch(inputs, targets.numpy())

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return float(mean_squared_error(outputs.double(), targets.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < 0.01


@lru_cache(maxsize=8)
def _rotation(task: DeepLinearGrowth, seed: int) -> Tensor:
    """Q [features, features], float64."""
    shape = (task.features, task.features)
    return torch.from_numpy(draw("orthogonal", shape, 1.0, Stream("teacher", task.name, seed=seed)))
