"""Memorise labels that have nothing to do with their inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.records import Signature
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, Part, Task, accuracy
from bench.tasks._epochs import epoch_rows


@dataclass(frozen=True, kw_only=True)
class RandomLabels(Task):
    """Random labels on random inputs: nothing can be learned, all must be memorised.

        x_1 = ( 0.3, -1.2, ...)  ->  class 7        fixed for each seed; the classes are drawn
        x_2 = (-0.8,  0.1, ...)  ->  class 2        by lot, as even as the number allows

    The set has `evaluation_size` examples, standard normal inputs of `features` numbers in
    `classes` classes, and is **training, validation and test part in one**: there is nothing to
    generalise to, and every score is one of memory. Softmax; chance ln C and about 1/C. Solved: an
    accuracy of at least 0.99, of the whole set.

    Reference: Zhang, Bengio, Hardt, Recht & Vinyals 2017, arXiv:1611.03530: Gaussian inputs are
    their hardest corruption, with labels at random as here; theirs are of the size of CIFAR-10 and
    ImageNet, for convolutional networks and an MLP.
    """

    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    memorised: ClassVar[bool] = True

    features: PositiveInt
    classes: Annotated[int, Range(at_least=2, at_most=100)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=self.features, output_size=self.classes)

    @property
    def chance_loss(self) -> float:
        return math.log(self.classes)

    @property
    def chance_metric(self) -> float:
        return 1 / self.classes

    def training_batch(self, step: int, seed: int) -> Batch:
        whole = _whole_set(self, seed)
        rows = epoch_rows(self.name, self.evaluation_size, step, seed, self.batch_size)
        return Batch(whole.inputs[rows], whole.targets[rows])

    def evaluation_batch(self, part: Part, seed: int) -> Batch:  # noqa: ARG002
        return _whole_set(self, seed)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs, targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs, targets)

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score >= 0.99


@lru_cache(maxsize=4)
def _whole_set(task: RandomLabels, seed: int) -> Batch:
    stream = Stream("training data", task.name, seed=seed)
    size = task.evaluation_size
    inputs = on_grid(stream.normal((size, task.features))).astype(np.float32)
    return Batch(inputs, stream.permutation(size) % task.classes)
