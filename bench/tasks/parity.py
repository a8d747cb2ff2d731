"""Say whether the number of ones is odd."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.records import Signature
from bench.seeding import Stream
from bench.settings import EvaluationSize, PositiveInt
from bench.tasks import Batch
from bench.tasks._symbols import ClassificationTask


@dataclass(frozen=True, kw_only=True)
class Parity(ClassificationTask):
    """The parity problem: whether an odd number of ones has been seen.

        bits     0  1  1  0  1  0
        running  0  1  0  0  1  1
        final                   1

    Bits are fair, 0 or 1 in one input. With `running` the parity so far is asked for at every step,
    otherwise that of all `length` bits at the last one. Softmax over the two. Chance, by not
    looking at the bits, ln 2 and 1/2 in both; only the first step of a running parity can do
    better without memory. Solved: an accuracy above 0.99, over all steps where it is running.

    A network with the right few weights solves it at any length: guessing weights at random finds
    them sooner than gradients do (Hochreiter & Schmidhuber 1997), so a solution says little about
    gradients.

    Reference: Bengio, Simard & Frasconi 1994, Learning long-term dependencies with gradient descent
    is difficult (the final parity).
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)

    running: bool
    length: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        output_steps = self.length if self.running else 1
        return Signature(input_size=1, output_size=2, output_steps=output_steps)

    @property
    def chance_loss(self) -> float:
        return math.log(2)

    @property
    def chance_metric(self) -> float:
        return 1 / 2

    def generate(self, stream: Stream, size: int) -> Batch:
        bits = stream.integers(0, 2, (self.length, size))
        parities = np.cumsum(bits, axis=0) % 2
        targets = parities if self.running else parities[-1:]
        return Batch(bits[..., None].astype(np.float32), targets)
