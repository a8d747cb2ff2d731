"""Repeat a pattern after a long silence, when told to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch
from bench.tasks._symbols import ClassificationTask, one_hot, sequence_accuracy


@dataclass(frozen=True, kw_only=True)
class NoiselessMemorisation(ClassificationTask):
    """The noiseless memorisation problem: a pattern, T blanks, a go, then the pattern again.

        input   1 0 0 1 1 _ _ _ ... _ ! _ _ _ _   n symbols, T blanks, the go !, n - 1 blanks
        target  _ _ _ _ _ _ _ _ ... _ 1 0 0 1 1   recall starts with the go

    The pattern has n = `n_pos` symbols of k = `n_values`: 2 values at 5 places are the 5-bit
    problem (32 patterns in all, which training, validation and test share), 5 values at 10 places,
    the default, the 20-bit problem (23.2 bits, in fact). T is `length`, the whole sequence
    T + 2 n. One-hot, with a channel each for the blank and for the go; softmax over the values and
    the blank, averaged over all steps. Chance, without memory of the pattern: n ln k / (T + 2 n),
    at T = 100 0.0315 for 5 bits and 0.1341 for 20, and k^-n of the sequences: one is wrong as soon
    as any of its steps is, which is the metric. Solved: fewer than 1 % wrong.

    Reference: Martens & Sutskever 2011, Learning recurrent neural networks with Hessian-free
    optimization; this layout: the code released with Pascanu, Mikolov & Bengio 2013,
    arXiv:1211.5063.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "sequence_accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    n_values: Annotated[int, Range(at_least=2)]
    n_pos: PositiveInt
    length: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(
            input_size=self.n_values + 2,
            output_size=self.n_values + 1,
            output_steps=self.length + 2 * self.n_pos,
        )

    @property
    def chance_loss(self) -> float:
        return self.n_pos * math.log(self.n_values) / (self.length + 2 * self.n_pos)

    @property
    def chance_metric(self) -> float:
        return math.pow(self.n_values, -self.n_pos)

    def generate(self, stream: Stream, size: int) -> Batch:
        blank, go = self.n_values, self.n_values + 1
        pattern = stream.integers(0, self.n_values, (self.n_pos, size))
        symbols = np.full((self.length + 2 * self.n_pos, size), blank)
        targets = np.full_like(symbols, blank)
        symbols[: self.n_pos] = pattern
        symbols[self.length + self.n_pos] = go
        targets[-self.n_pos :] = pattern
        return Batch(one_hot(symbols, self.n_values + 2), targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return sequence_accuracy(outputs, targets)
