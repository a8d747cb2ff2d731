"""Repeat ten symbols that came scattered among noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import EvaluationSize, PositiveInt
from bench.tasks import Batch, accuracy
from bench.tasks._symbols import ClassificationTask, one_hot

RECALL = 10  # symbols to repeat
ALPHABET = 8
NOISE, MARKER = 8, 9


@dataclass(frozen=True, kw_only=True)
class Denoise(ClassificationTask):
    """The denoise problem: ten symbols of eight, scattered among noise, then the ten again.

        input   ~ 4 ~ ~ 1 7 ~ ... ~ 2 ~ * ~ ~ ~ ... ~   T + 9 steps, the marker *, ten of noise
        target  ~ ~ ~ ~ ~ ~ ~ ... ~ ~ ~ ~ 4 1 7 ... 2

    The ten stand at ten different steps of the first T + 9, each choice of steps as likely, and are
    asked for in their order, after the marker. Noise is one symbol, ~, which takes the place of the
    blank. T is `length`, the whole sequence T + 20: this is `copy_memory` (arjovsky) with its ten
    symbols strewn over the silence. One-hot input, softmax cross-entropy over all steps (9
    classes). Chance, without memory of the ten: 10 ln 8 / (T + 20), 0.1733 at T = 100. The metric
    is the accuracy on the ten recall steps alone (chance 1/8). Solved: recall above 0.99.

    The paper's task with the lengths and the alphabet of `copy_memory`: its losses are comparable
    with those, and not with the paper's.

    Reference: Jing et al. 2017, Gated orthogonal recurrent units: on learning to forget,
    arXiv:1706.02761.
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
    def chance_metric(self) -> float:
        return 1 / ALPHABET

    def generate(self, stream: Stream, size: int) -> Batch:
        word = stream.integers(0, ALPHABET, (RECALL, size))
        # The places of the ten smallest of T + 9 numbers.
        keys = stream.uniform((self.length + RECALL - 1, size))
        places = np.sort(np.argsort(keys, axis=0, kind="stable")[:RECALL], axis=0)
        symbols = np.full((self.length + 2 * RECALL, size), NOISE)
        targets = np.full_like(symbols, NOISE)
        symbols[places, np.arange(size)] = word
        symbols[self.length + RECALL - 1] = MARKER
        targets[-RECALL:] = word
        return Batch(one_hot(symbols, ALPHABET + 2), targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs[-RECALL:].flatten(0, 1), targets[-RECALL:].flatten())
