"""Add two marked numbers of a long sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from bench.kernels.losses import mean_squared_error
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch
from bench.tasks._marked_values import (
    TOLERATED,
    MarkedValuesTask,
    hs97,
    hs97_chance_of_the_first_step,
    one_in_each_half,
    pascanu13,
    two_anywhere,
    wrong_fraction,
)


@dataclass(frozen=True, kw_only=True)
class Adding(MarkedValuesTask):
    """The adding problem: the sum of two marked numbers, one in each half of the sequence.

        value   0.31  0.92  0.44  0.08  0.70  0.15
        marker  0     1     0     0     0     1      ->  0.92 + 0.15 = 1.07

    Mean squared error at the last step. T is `length`; the variants are

    arjovsky   values uniform on [0, 1), marks at a random step of the first and of the second half,
               T steps, target the sum. Chance: predicting 1 costs 2/12 = 1/6 (Le et al. 2015 print
               0.1767). Used by Arjovsky et al. 2016, Vorontsov et al. 2017, nnRNN, coRNN, LEM.
               Solved: an error below 0.01.
    tcn        the same with two different steps anywhere (Bai et al. 2018).
    pascanu13  pairs (marker, value); a random length l in [T, 1.1 T); marks in [0, l/10) and
               [l/10, l/2); target the *mean* of the two. Chance: predicting 1/2 costs 1/24 = 0.0417
               and is wrong on 36 % of the sequences, since only a *squared* error above 0.04 counts
               as wrong. Solved: fewer than 1 % wrong.
    hs97       values uniform on [-1, 1), a random length in [T, 1.1 T); one mark among the first
               ten steps, then one among the first T/2 - 1 that are still unmarked; the first and
               the last marker are -1, and a value marked on the first step becomes 0, since its
               mark does not show. Target 1/2 + (X1 + X2) / 4. Wrong: an *absolute* error above
               0.04. Chance: predicting 1/2 costs (2 - q) / 48 and is wrong on 0.8464 - 0.0064 q of
               the sequences, where q = 1/10 + 0.9 / (T/2 - 1) is how often the first step is
               marked: 0.0392 and 84.6 % at T = 100. Solved: none wrong.

    Where a sequence can be wrong, the metric is the share of wrong ones, `wrong_fraction`, in place
    of `mse`, which is the loss. A batch, and an evaluation part, has one random length. The papers
    count the last 2000 or 10 000 sequences, here it is the evaluation part.

    Reference: Hochreiter & Schmidhuber 1997, task 4; Arjovsky, Shah & Bengio 2016,
    arXiv:1511.06464, section 5.2; the code released with Pascanu, Mikolov & Bengio 2013,
    arXiv:1211.5063; Bai, Kolter & Koltun 2018, arXiv:1803.01271.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    variant: Literal["arjovsky", "hs97", "pascanu13", "tcn"]
    length: Annotated[int, Range(at_least=2)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def metric_name(self) -> str:
        return "wrong_fraction" if self.variant in TOLERATED else self.metric

    @property
    def chance_loss(self) -> float:
        if self.variant == "hs97":
            return (2 - hs97_chance_of_the_first_step(self.length)) / 48
        return 1 / 24 if self.variant == "pascanu13" else 1 / 6

    @property
    def chance_metric(self) -> float:
        if self.variant == "hs97":
            return 0.8464 - 0.0064 * hs97_chance_of_the_first_step(self.length)
        return 0.36 if self.variant == "pascanu13" else 1 / 6

    def generate(self, stream: Stream, size: int) -> Batch:
        if self.variant == "hs97":
            drawn = hs97(stream, self.length, size, lowest=-1, neutral=0)
            return self._batch(drawn.inputs, 0.5 + (drawn.first + drawn.second) / 4)
        if self.variant == "pascanu13":
            drawn = pascanu13(stream, self.length, size)
            return self._batch(drawn.inputs, (drawn.first + drawn.second) / 2)
        layout = two_anywhere if self.variant == "tcn" else one_in_each_half
        drawn = layout(stream, self.length, size)
        return self._batch(drawn.inputs, drawn.first + drawn.second)

    def _batch(self, inputs: np.ndarray, targets: np.ndarray) -> Batch:
        return Batch(inputs, targets[None, :, None])

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        if self.variant in TOLERATED:
            return wrong_fraction(outputs, targets, self.variant)
        return float(mean_squared_error(outputs.double(), targets.double()))

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score == 0 if self.variant == "hs97" else score < 0.01
