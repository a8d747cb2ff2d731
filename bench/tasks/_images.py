"""What the tasks on MNIST and its successors share: parts, epochs, and how an image is laid out.

The training file's first five sixths (50,000 images) are the training part, the rest (10,000) the
validation part; the test file is the test part.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench import datasets
from bench.datasets import CLASSES, SIDE
from bench.kernels.losses import softmax_cross_entropy
from bench.records import BadInput, Signature
from bench.seeding import Stream
from bench.tasks import Batch, Part, Task, accuracy
from bench.tasks._epochs import epoch_rows

PIXELS = SIDE * SIDE


def parts(data: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Part -> (uint8 pixels [N, 28, 28], labels [N])."""
    images = datasets.images(data)
    pixels, labels = images.training
    cut = len(labels) - len(labels) // 6
    return {
        "training": (pixels[:cut], labels[:cut]),
        "validation": (pixels[cut:], labels[cut:]),
        "test": images.test,
    }


def averaged(pixels: np.ndarray, side: int) -> np.ndarray:
    """float32 [N, side * side] in [0, 1]: means over squares of the image, one rounding each."""
    block = SIDE // side
    sums = pixels.reshape(-1, side, block, side, block).sum(axis=(2, 4), dtype=np.int64)
    means: np.ndarray = (sums / (255.0 * block * block)).astype(np.float32)
    return means.reshape(len(pixels), side * side)


@lru_cache(maxsize=3)
def permutation(pixels: int) -> np.ndarray:
    """int64 [pixels]: at step t the permuted tasks read pixel `permutation(pixels)[t]`, counted row
    by row; one order for each size, the same for every data set and seed."""
    return Stream("permutation of pixels", pixels, seed=0).permutation(pixels)


class ImageTask(Task):
    """Classify images; the members differ in the data set and in the layout."""

    dataset: ClassVar[str]
    solved_at: ClassVar[float]  # validation accuracy

    @abstractmethod
    def lay_out(self, pixels: np.ndarray, labels: np.ndarray) -> Batch:
        """From uint8 [N, 28, 28] and int64 [N]."""

    def training_batch(self, step: int, seed: int) -> Batch:
        pixels, labels = parts(self.dataset)["training"]
        rows = epoch_rows(self.dataset, len(labels), step, seed, self.batch_size)
        return self.lay_out(pixels[rows], labels[rows].astype(np.int64))

    def evaluation_batch(self, part: Part, seed: int) -> Batch:  # noqa: ARG002
        pixels, labels = parts(self.dataset)[part]
        size = self.evaluation_size
        if size > len(labels):
            raise BadInput(
                f"task.{self.name}.evaluation_size={size}: the {part} part of {self.dataset} holds "
                f"{len(labels)} images"
            )
        return self.lay_out(pixels[:size], labels[:size].astype(np.int64))

    @property
    def chance_loss(self) -> float:
        return math.log(CLASSES)

    @property
    def chance_metric(self) -> float:
        return 1 / CLASSES

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.reshape(-1, CLASSES), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        return accuracy(outputs.reshape(-1, CLASSES), targets.flatten())

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score >= self.solved_at


class WholeImages(ImageTask):
    """All pixels at once, [batch, 784]."""

    @property
    def signature(self) -> Signature:
        return Signature(input_size=PIXELS, output_size=CLASSES)

    def lay_out(self, pixels: np.ndarray, labels: np.ndarray) -> Batch:
        return Batch(averaged(pixels, SIDE), labels)


class PixelByPixel(ImageTask):
    """One pixel a step, row by row, [pixels, batch, 1]; the label is asked for at the last."""

    pixels: int

    @property
    def signature(self) -> Signature:
        return Signature(input_size=1, output_size=CLASSES)

    def lay_out(self, pixels: np.ndarray, labels: np.ndarray) -> Batch:
        sequences = self.in_order(averaged(pixels, math.isqrt(self.pixels)))
        return Batch(np.ascontiguousarray(sequences.T)[:, :, None], labels[None])

    def in_order(self, images: np.ndarray) -> np.ndarray:
        """The pixels [N, pixels] of every image in the order in which they are read."""
        return images


class PermutedPixels(PixelByPixel):
    """The same in a fixed random order, so that neighbours in the image are none in time."""

    def in_order(self, images: np.ndarray) -> np.ndarray:
        return images[:, permutation(self.pixels)]
