"""Regression to the outputs of a random deep network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bench.initial_weights import draw
from bench.kernels.elementwise import ACTIVATIONS
from bench.kernels.layers import linear
from bench.kernels.losses import mean_squared_error
from bench.records import BadInput, Signature
from bench.seeding import Stream, on_grid
from bench.settings import EvaluationSize, Gain, PositiveInt
from bench.tasks import Batch
from bench.tasks._vectors import GeneratedVectors

SAMPLE = 4096  # inputs over which the teacher's outputs are standardised


@dataclass(frozen=True, kw_only=True)
class TeacherStudent(GeneratedVectors):
    """Regression to a random deep teacher: a network without biases, drawn for each seed.

        x = (0.3, -1.2, ...)  ->  tanh(W_1 x) -> ... -> tanh(W_L .) -> W_out .  ->  y = -0.42

    Inputs are standard normal, fresh for every update; the teacher's weights are Gaussian of
    variance gain^2 / inputs and come from a stream of their own, not from that of any student. Its
    L layers, width, activation and gain are `teacher_depth`, `teacher_width`, `activation`, `gain`:
    the deeper and the larger the gain, the rougher the function. Each output is standardised over
    4096 inputs, so that predicting 0 always costs about 1 (chance), whatever the teacher. Mean
    squared error. Solved: an error below 0.1, nine tenths of the variance explained.

    Reference: Saad & Solla 1995, Dynamics of on-line gradient descent learning for multilayer
    neural networks (NIPS 8): fresh examples from a teacher of one hidden layer. Deep teachers, and
    standardised outputs, are this suite's.
    """

    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    requires: ClassVar[dict[str, str]] = {
        # All units of a layer are dead for one draw in 2^width.
        "activation != 'relu' or teacher_depth == 1 or teacher_width >= 24": (
            "a narrow teacher of several layers of ReLU answers everything alike for many a seed"
        ),
        # The squares of the answers must be numbers in float64.
        "activation == 'relu' or gain ** (teacher_depth + 1) >= 1e-140": (
            "the answers of so deep a teacher of so small a gain are all zero"
        ),
        "activation == 'tanh' or 1e-140 <= (0.7 * gain) ** (teacher_depth + 1) <= 1e140": (
            "the answers of so deep a teacher of that gain leave float64"
        ),
    }

    features: PositiveInt
    outputs: PositiveInt
    teacher_depth: PositiveInt
    teacher_width: PositiveInt
    activation: Literal["tanh", "relu"]
    gain: Gain
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=self.features, output_size=self.outputs)

    @property
    def chance_loss(self) -> float:
        return 1.0

    @property
    def chance_metric(self) -> float:
        return 1.0

    def generate(self, stream: Stream, size: int, seed: int) -> Batch:
        inputs = self._inputs(stream, size)
        _, means, deviations = _teacher(self, seed)
        return Batch(inputs.astype(np.float32), (self.answers(inputs, seed) - means) / deviations)

    def answers(self, inputs: np.ndarray, seed: int) -> np.ndarray:
        """float64 [batch, outputs]: what the teacher of `seed` says, not standardised."""
        return _forward(_teacher(self, seed)[0], inputs, self.activation)

    def layers(self, seed: int) -> list[np.ndarray]:
        """The teacher's weight matrices, from the first to the readout."""
        shapes = [
            (self.teacher_width, self.features),
            *[(self.teacher_width, self.teacher_width)] * (self.teacher_depth - 1),
            (self.outputs, self.teacher_width),
        ]
        return [
            draw("gaussian", shape, self.gain, Stream("teacher", self.name, layer, seed=seed))
            for layer, shape in enumerate(shapes)
        ]

    def _inputs(self, stream: Stream, size: int) -> np.ndarray:
        return on_grid(stream.normal((size, self.features)))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mean_squared_error(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return float(mean_squared_error(outputs.double(), targets.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < 0.1


def _forward(layers: list[np.ndarray], inputs: np.ndarray, activation: str) -> np.ndarray:
    # Our own products and functions: NumPy's have other bits on other processors.
    hidden = torch.from_numpy(inputs)
    for weights in layers[:-1]:
        hidden = ACTIVATIONS[activation](linear(hidden, torch.from_numpy(weights)))
    return np.asarray(linear(hidden, torch.from_numpy(layers[-1])).numpy())


@lru_cache(maxsize=4)
def _teacher(task: TeacherStudent, seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """(weights, mean [outputs], standard deviation [outputs])"""
    layers = task.layers(seed)
    sample = task._inputs(Stream("teacher's sample", task.name, seed=seed), SAMPLE)
    answers = _forward(layers, sample, task.activation)
    # fsum rounds once, so that the order of the terms does not matter.
    means = np.array([math.fsum(column) / SAMPLE for column in answers.T])
    squares = [math.fsum(column) / SAMPLE for column in ((answers - means) ** 2).T]
    deviations = np.sqrt(np.array(squares))
    if not (deviations > 0).all():
        raise BadInput(
            f"task.teacher_student: the teacher of seed {seed} answers everything alike; make it "
            "wider, shallower or of a larger gain"
        )
    return layers, means, deviations
