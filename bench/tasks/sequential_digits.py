"""Handwritten digits, read pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.records import Signature
from bench.settings import Annotated, PositiveInt, Range
from bench.tasks import Batch, Part
from bench.tasks._digits import CLASSES, DigitsTask, parts


@dataclass(frozen=True, kw_only=True)
class SequentialDigits(DigitsTask):
    """Handwritten digits as a sequence of 64 pixels, or of several images one after another.

    With `images` = n the sequence has 64 n steps: n digits follow one another and the label is that
    of the *first*, which must be kept through 64 (n - 1) steps of other digits. Softmax at the last
    step; chance ln 10 and 1/10. Solved: a validation accuracy of at least 0.95.

    Reference: Le, Jaitly & Hinton 2015, arXiv:1504.00941, section 4.2, with scikit-learn's 8 x 8
    digits in place of MNIST: not comparable with published numbers on MNIST.
    """

    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("images", 64)

    images: PositiveInt
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: Annotated[int, Range(at_least=100, at_most=300)]

    @property
    def signature(self) -> Signature:
        return Signature(input_size=1, output_size=CLASSES)

    def training_batch(self, step: int, seed: int) -> Batch:
        return self._sequences(
            "training", self.training_rows(step, seed, self.batch_size * self.images)
        )

    def evaluation_batch(self, part: Part, seed: int) -> Batch:  # noqa: ARG002
        first = np.arange(self.evaluation_size)
        # The distractors of each image are its successors in the same part.
        rows = first[:, None] + np.arange(self.images)
        return self._sequences(part, rows.ravel() % len(parts()[part][1]))

    def _sequences(self, part: str, rows: np.ndarray) -> Batch:
        pixels, labels = parts()[part]
        groups = rows.reshape(-1, self.images)
        sequences = pixels[groups].reshape(len(groups), -1)
        return Batch(sequences.T[:, :, None], labels[groups[:, 0]][None])
