"""Say in which order two symbols came, long after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch
from bench.tasks._symbols import ClassificationTask, bits_among_distractors, one_hot

ALPHABET = {"pascanu13": 6, "hs97": 8}
WINDOWS = (10, 50)  # begin at so many hundredths of T


@dataclass(frozen=True, kw_only=True)
class TemporalOrder(ClassificationTask):
    """The temporal order problem: which of A and B came first, which second: four classes.

        c d f A e c d c f e B d c e f d c c f e   ->  class (A, B) = 0 + 2 * 1 = 2

    One-hot symbols; the two that count stand at a random step of [0.1 T, 0.2 T) and [0.5 T, 0.6 T)
    (bounds rounded down), where T is `length`; the other steps hold one of four distractors.
    Softmax at the last step. The variants:

    pascanu13  6 symbols, T steps. Chance ln 4 and 1/4. Solved: fewer than 1 % of the sequences
               wrong.
    hs97       8 symbols: one more opens every sequence and another one, the trigger, ends it; a
               random length in [T, 1.1 T), the same for a batch or an evaluation part. Chance ln 4
               and 1/4. Solved: no sequence wrong (H&S want each of four sigmoid outputs within 0.3
               of its target in the last 2000; here it is the largest of four softmax outputs, in
               the evaluation part).

    Reference: Hochreiter & Schmidhuber 1997, task 6a; pascanu13 is the code released with Pascanu,
    Mikolov & Bengio 2013, arXiv:1211.5063.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    variant: Literal["pascanu13", "hs97"]
    length: Annotated[int, Range(at_least=10)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def varies_in_length(self) -> bool:
        return self.variant == "hs97"

    @property
    def signature(self) -> Signature:
        return Signature(input_size=ALPHABET[self.variant], output_size=4)

    @property
    def chance_loss(self) -> float:
        return math.log(4)

    @property
    def chance_metric(self) -> float:
        return 1 / 4

    def generate(self, stream: Stream, size: int) -> Batch:
        symbols, (first, second) = bits_among_distractors(
            stream, self.length, size, windows=WINDOWS, hs97=self.variant == "hs97"
        )
        inputs = one_hot(symbols, ALPHABET[self.variant])
        return Batch(inputs, (first + 2 * second)[None])

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score == 1 if self.variant == "hs97" else score > 0.99
