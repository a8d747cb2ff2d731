"""WHAT is learned: one file per task: data, loss, metric, criterion for solved, chance level.

A member's dataclass holds the settings; every task has `batch_size` (sequences per update), `steps`
(the budget of updates) and `evaluation_size` (examples in the validation and in the test part, at
least 100: settings.EvaluationSize).
Literal class variables: `inputs` ("sequence" or "vector"), `metric`, `higher_is_better`, `portable`
(the same bits on every processor), and for sequences `time_steps`: (setting, time steps for one
unit of it), from which the cost of a run is estimated. Where they apply: `dataset`, the data set it
reads (bench/datasets.py); `memorised`, whether all parts are the training part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from torch import Tensor

from bench.kernels.norms import is_finite
from bench.records import Signature
from bench.seeding import Stream

Part: TypeAlias = Literal["validation", "test"]

EXPLOSION_FACTOR = 100.0
"""A loss above this many times the chance level has exploded: no constant prediction is so bad."""


@dataclass(frozen=True)
class Batch:
    inputs: np.ndarray  # float32 [time, batch, features] or [batch, features]
    targets: np.ndarray  # float64 or int64, one for each output

    def examples(self, start: int, end: int) -> Batch:
        """Some of the examples of sequences [time, batch, ...]."""
        return Batch(self.inputs[:, start:end], self.targets[:, start:end])


class Task(ABC):
    """What training asks of a task."""

    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    batch_size: int
    evaluation_size: int

    @property
    def name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    @property
    def metric_name(self) -> str:
        """`metric`, unless the criterion of a variant asks for another."""
        return self.metric

    @property
    @abstractmethod
    def signature(self) -> Signature: ...

    @property
    @abstractmethod
    def chance_loss(self) -> float:
        """Loss of the best prediction that does not look at the input."""

    @property
    @abstractmethod
    def chance_metric(self) -> float: ...

    @property
    def explosion_bound(self) -> float:
        return EXPLOSION_FACTOR * self.chance_loss

    @abstractmethod
    def training_batch(self, step: int, seed: int) -> Batch:
        """The batch of update `step` (from 1): it depends on nothing but step and seed."""

    @abstractmethod
    def evaluation_batch(self, part: Part, seed: int) -> Batch: ...

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss, 0-d, of `outputs` shaped as the signature says."""

    @abstractmethod
    def score(self, outputs: Tensor, targets: Tensor) -> float:
        """The metric; NaN as soon as an output is not finite, never a lucky argmax."""

    @abstractmethod
    def is_solved(self, loss: float, score: float) -> bool: ...


MOST_BATCHES, MOST_STEPS = 16, 2**17
"""Of the batches that are drawn at once; MOST_STEPS counts time steps of all their examples."""


class GeneratedTask(Task):
    """A task whose sequences are drawn afresh for every update."""

    time_steps: ClassVar[tuple[str, int]]

    @property
    def varies_in_length(self) -> bool:
        """Whether each draw has a random length, which all of its examples share."""
        return False

    @abstractmethod
    def generate(self, stream: Stream, size: int) -> Batch:
        """`size` examples, independent but for a length that they share."""

    def training_batch(self, step: int, seed: int) -> Batch:
        # Several at once: opening a stream costs as much as drawing one batch.
        setting, unit = self.time_steps
        size = unit * getattr(self, setting) * self.batch_size
        together = max(1, min(MOST_BATCHES, MOST_STEPS // size))
        if self.varies_in_length:
            together = 1  # or successive batches would be of one length
        block, index = divmod(step - 1, together)
        examples = _block(self, block, together, seed)
        return examples.examples(index * self.batch_size, (index + 1) * self.batch_size)

    def evaluation_batch(self, part: Part, seed: int) -> Batch:
        return self.generate(Stream(f"{part} data", self.name, seed=seed), self.evaluation_size)


@lru_cache(maxsize=2)
def _block(task: GeneratedTask, block: int, batches: int, seed: int) -> Batch:
    stream = Stream("training data", task.name, block, seed=seed)
    return task.generate(stream, batches * task.batch_size)


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """Share of rows of `logits` [N, C] whose largest entry is the target; or NaN."""
    if not is_finite(logits):
        return float("nan")
    return float((logits.argmax(dim=1) == targets).double().mean())
