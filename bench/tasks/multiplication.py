"""Multiply two marked numbers of a long sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch
from bench.tasks._marked_values import (
    TOLERATED,
    MarkedValuesTask,
    hs97,
    hs97_chance_of_the_first_step,
    pascanu13,
    wrong_fraction,
)


@dataclass(frozen=True, kw_only=True)
class Multiplication(MarkedValuesTask):
    """The multiplication problem: the product of two marked numbers of a long sequence.

        value   0.31  0.50  0.44  0.08  0.70  0.15  0.61  0.93
        marker  -1    1     0     1     0     0     0     -1     ->  0.50 * 0.08 = 0.04   (hs97)

    Values are uniform on [0, 1), the length is random in [T, 1.1 T), where T is `length`, and the
    same for a batch or an evaluation part. Mean squared error at the last step; the metric is the
    share of wrong sequences. The variants, both laid out as in `adding`:

    hs97       one mark among the first ten steps, then one among the first T/2 - 1 that are still
               unmarked; the first and the last marker are -1, and a value marked on the first step
               becomes 1. Wrong: an *absolute* error above 0.04. Solved: fewer than 13 of 2000
               wrong, the stricter of the paper's two.
    pascanu13  pairs (marker, value); marks in [0, l/10) and [l/10, l/2) of the random length l.
               Wrong: a *squared* error above 0.04. Solved: fewer than 1 % wrong.

    Chance: the mean 1/4 costs 7/144 = 0.0486; the constant that is right most often, 0.2, is wrong
    on 23.4 % (pascanu13), and 0.04 on 71.8 % (hs97, were it not for the first step, which is marked
    at a rate q = 1/10 + 0.9 / (T/2 - 1): with it 0.0592 and 74.2 % at T = 100).

    Reference: Hochreiter & Schmidhuber 1997, task 5; the code released with Pascanu, Mikolov &
    Bengio 2013, arXiv:1211.5063.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "wrong_fraction"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    variant: Literal["hs97", "pascanu13"]
    length: Annotated[int, Range(at_least=2)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def single(self) -> float:
        """How often the product is that of one value alone: the other was marked, and is 1."""
        return hs97_chance_of_the_first_step(self.length) if self.variant == "hs97" else 0.0

    @property
    def chance_loss(self) -> float:
        """The variance: products have the moments 1/4 and 1/9, single values 1/2 and 1/3."""
        single = self.single
        mean = (1 - single) / 4 + single / 2
        return (1 - single) / 9 + single / 3 - mean * mean

    @property
    def chance_metric(self) -> float:
        """Small products are the most frequent: the best guess is right from 0 to twice itself.

        A product of two is below z in a share z (1 - ln z), a single value in z.
        """
        reach = 2 * math.sqrt(TOLERATED[self.variant])
        return 1 - reach * (1 - (1 - self.single) * math.log(reach))

    def generate(self, stream: Stream, size: int) -> Batch:
        if self.variant == "hs97":
            drawn = hs97(stream, self.length, size, lowest=0, neutral=1)
        else:
            drawn = pascanu13(stream, self.length, size)
        return Batch(drawn.inputs, (drawn.first * drawn.second)[None, :, None])

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return wrong_fraction(outputs, targets, self.variant)

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < (13 / 2000 if self.variant == "hs97" else 0.01)
