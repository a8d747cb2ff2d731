"""Say at the end which symbol came first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch
from bench.tasks._symbols import ClassificationTask, one_hot

ALPHABET = 100
FIRST = 2  # so many of them may come first; the others are noise


@dataclass(frozen=True, kw_only=True)
class RandomPermutation(ClassificationTask):
    """The random permutation problem: the last of a hundred symbols is the first again.

        1 57 12 99 12 3 ... 41   ->  1

    The first symbol is 0 or 1, the others are drawn from 2 to 99, and after `length` of them the
    first comes again, which is to be predicted. This is the variant that Pascanu et al. 2013 ran:
    symbols may repeat, in spite of the name, and the loss, softmax over all 100 symbols, is that of
    the last step alone; where each next symbol is predicted, as in Hochreiter & Schmidhuber 1997,
    task 2, losses are not comparable. Chance, by predicting 0 and 1 evenly: ln 2 = 0.693 and 1/2 (a
    network that has learnt nothing is at ln 100 = 4.605). Solved: fewer than 1 % of the sequences
    wrong.

    Reference: Martens & Sutskever 2011, Learning recurrent neural networks with Hessian-free
    optimization; this layout: the code released with Pascanu, Mikolov & Bengio 2013,
    arXiv:1211.5063.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    length: Annotated[int, Range(at_least=2)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        return Signature(input_size=ALPHABET, output_size=ALPHABET)

    @property
    def chance_loss(self) -> float:
        return math.log(FIRST)

    @property
    def chance_metric(self) -> float:
        return 1 / FIRST

    def generate(self, stream: Stream, size: int) -> Batch:
        symbols = stream.integers(FIRST, ALPHABET, (self.length, size))
        symbols[0] = stream.integers(0, FIRST, (size,))
        return Batch(one_hot(symbols, ALPHABET), symbols[:1].copy())
