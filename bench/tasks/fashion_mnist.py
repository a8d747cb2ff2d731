"""Fashion-MNIST for feed-forward networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.settings import Annotated, PositiveInt, Range
from bench.tasks._images import WholeImages


@dataclass(frozen=True, kw_only=True)
class FashionMNIST(WholeImages):
    """Fashion-MNIST: articles of clothing, 28 x 28 pixels at once, for feed-forward networks.

        0 0 ... 0 0.93 0.89 0.85 ... 0   (784 pixels)  ->  class 9, an ankle boot

    Pixels in [0, 1], row by row. Ten classes, softmax; chance ln 10 and 1/10. Solved: a validation
    accuracy of at least 0.85, a criterion of this suite.

    Data: `apt-get install dataset-fashion-mnist` (bench/datasets.py). The training file is split:
    its first 50,000 images for training, the last 10,000 for validation; the test file is for
    testing. `evaluation_size` images of each of these two are looked at.

    Reference: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
    """

    dataset: ClassVar[str] = "fashion-mnist"
    inputs: ClassVar[str] = "vector"
    metric: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    portable: ClassVar[bool] = True
    solved_at: ClassVar[float] = 0.85

    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: Annotated[int, Range(at_least=100, at_most=10_000)]
