"""scikit-learn's handwritten digits: 1797 images of 8 x 8, in three fixed parts."""

from __future__ import annotations

from functools import cache

import numpy as np
from torch import Tensor

from bench.kernels.losses import softmax_cross_entropy
from bench.seeding import Stream
from bench.tasks import Task, accuracy
from bench.tasks._epochs import epoch_rows

CLASSES = 10
TEST = VALIDATION = 300


@cache
def parts() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Part -> (float32 pixels [N, 64] in 0, 1/16, ..., 1; labels [N]): 1197 training, 300, 300.

    The split is one permutation, the same for every seed.
    """
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = Stream("split", "digits", seed=0).permutation(len(labels))
    cuts = np.split(order, [TEST, TEST + VALIDATION])
    return {
        part: ((pixels[rows] / 16.0).astype(np.float32), labels[rows].astype(np.int64))
        for part, rows in zip(("test", "validation", "training"), cuts, strict=True)
    }


class DigitsTask(Task):
    """Classify digits; the members differ in how an image is laid out."""

    def training_rows(self, step: int, seed: int, count: int) -> np.ndarray:
        """int64 [count]: rows of the training part, without replacement within an epoch."""
        return epoch_rows("digits", len(parts()["training"][1]), step, seed, count)

    @property
    def chance_loss(self) -> float:
        return float(np.log(CLASSES))

    @property
    def chance_metric(self) -> float:
        return 1 / CLASSES

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.reshape(-1, CLASSES), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs.reshape(-1, CLASSES), targets.flatten())

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score >= 0.95
