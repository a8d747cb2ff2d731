"""Repeat ten symbols after a long silence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import EvaluationSize, PositiveInt
from bench.tasks import Batch, accuracy
from bench.tasks._symbols import ClassificationTask, one_hot

RECALL = 10  # symbols to repeat
ALPHABET = 8
BLANK, MARKER = 8, 9
AS_NUMBERS = np.array([*range(1, ALPHABET + 1), 0, 9], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class CopyMemory(ClassificationTask):
    """The copying memory problem: ten symbols of eight, T blanks, then the ten again.

        input   4 1 7 ... 2 _ _ _ ... _ * _ _ _ ... _   ten symbols, T - 1 blanks, *, ten blanks
        target  _ _ _ ... _ _ _ _ ... _ _ 4 1 7 ... 2

    T is `length`, the whole sequence T + 20 in every variant. Softmax cross-entropy over all steps
    (9 classes). Chance, for every variant: without memory of the ten 10 ln 8 / (T + 20), 0.1733 at
    T = 100. The metric is the accuracy on the ten recall steps alone (chance 1/8), since the mean
    over T + 20 steps hides failure at long T. Solved: recall above 0.99. The variants:

    arjovsky  as drawn, one-hot; recall starts after the marker. Used by Arjovsky et al. 2016,
              Wisdom et al. 2016, scoRNN.
    exprnn    T blanks, the marker, nine blanks: the marker comes one step later, and recall starts
              with it. Used by Lezcano-Casado & Martinez-Rubio 2019.
    scalar    arjovsky with one number as input: 1 to 8 for the symbols, 0 for a blank, 9 for the
              marker. Used by nnRNN and h-detach unless told otherwise.
    variable  the marker is the n-th step after the ten symbols, n uniform on 1 to T for each
              sequence; recall starts after it, and T - n blanks fill the sequence up. The
              marker must be heeded: chance is that of who sees it and forgets the ten. After
              Henaff et al. 2016, and Tallec & Ollivier 2018.

    Reference: Arjovsky, Shah & Bengio 2016, arXiv:1511.06464, section 5.1.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "recall_accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    variant: Literal["arjovsky", "exprnn", "scalar", "variable"]
    length: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(
            input_size=1 if self.variant == "scalar" else ALPHABET + 2,
            output_size=ALPHABET + 1,
            output_steps=self.length + 2 * RECALL,
        )

    @property
    def chance_loss(self) -> float:
        return RECALL * math.log(ALPHABET) / (self.length + 2 * RECALL)

    @property
    def chance_metric(self) -> float:
        return 1 / ALPHABET

    def generate(self, stream: Stream, size: int) -> Batch:
        word = stream.integers(0, ALPHABET, (RECALL, size))
        silence = np.full(size, self.length)
        if self.variant == "variable":
            silence = stream.integers(1, self.length + 1, (size,))
        symbols = np.full((self.length + 2 * RECALL, size), BLANK)
        targets = np.full_like(symbols, BLANK)
        everyone, recall = np.arange(size), RECALL + silence
        symbols[:RECALL] = word
        symbols[recall if self.variant == "exprnn" else recall - 1, everyone] = MARKER
        targets[recall + np.arange(RECALL)[:, None], everyone] = word
        if self.variant == "scalar":
            return Batch(AS_NUMBERS[symbols][..., None], targets)
        return Batch(one_hot(symbols, ALPHABET + 2), targets)

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        recalled = targets != BLANK
        return accuracy(outputs[recalled], targets[recalled])
