"""Fashion-MNIST, read pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.settings import Annotated, PositiveInt, Range
from bench.tasks._images import PixelByPixel


@dataclass(frozen=True, kw_only=True)
class SequentialFashionMNIST(PixelByPixel):
    """Fashion-MNIST as a sequence of pixels, row by row: ten classes.

        step     1    2  ...   405   406   407  ...  784
        pixel    0    0  ...  0.93  0.89  0.85  ...    0    ->  class 9, an ankle boot

    One pixel in [0, 1] a step; softmax at the last; chance ln 10 and 1/10. Solved: a validation
    accuracy of at least 0.75, a criterion of this suite.

    `pixels` = 784 is the published length. At 196 and 49 the image is averaged over squares of 2 x
    2 and 4 x 4 first: shorter variants for small budgets, not comparable with numbers for 784.

    Data: `apt-get install dataset-fashion-mnist` (bench/datasets.py). The training file is split:
    its first 50,000 images for training, the last 10,000 for validation; the test file is for
    testing. `evaluation_size` images of each of these two are looked at.

    Reference: Le, Jaitly & Hinton 2015, arXiv:1504.00941, section 4.2, with Fashion-MNIST in place
    of MNIST: no published number on MNIST compares. Images: Xiao, Rasul & Vollgraf 2017,
    arXiv:1708.07747.
    """

    dataset: ClassVar[str] = "fashion-mnist"
    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    solved_at: ClassVar[float] = 0.75
    time_steps: ClassVar[tuple[str, int]] = ("pixels", 1)

    pixels: Literal[784, 196, 49]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: Annotated[int, Range(at_least=100, at_most=10_000)]
