"""Handwritten digits for feed-forward networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.records import Signature
from bench.settings import Annotated, PositiveInt, Range
from bench.tasks import Batch, Part
from bench.tasks._digits import CLASSES, DigitsTask, parts


@dataclass(frozen=True, kw_only=True)
class Digits(DigitsTask):
    """Handwritten digits, 8 x 8 pixels in [0, 1] at once: ten classes.

    1197 training, 300 validation, 300 test images. Softmax; chance ln 10 and 1/10. Solved: a
    validation accuracy of at least 0.95 (a logistic regression is at about 0.95).

    Reference: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits, as embedded in
    scikit-learn.
    """

    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True

    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: Annotated[int, Range(at_least=100, at_most=300)]

    @property
    def signature(self) -> Signature:
        return Signature(input_size=64, output_size=CLASSES)

    def training_batch(self, step: int, seed: int) -> Batch:
        pixels, labels = parts()["training"]
        rows = self.training_rows(step, seed, self.batch_size)
        return Batch(pixels[rows], labels[rows])

    def evaluation_batch(self, part: Part, seed: int) -> Batch:  # noqa: ARG002
        pixels, labels = parts()[part]
        return Batch(pixels[: self.evaluation_size], labels[: self.evaluation_size])
