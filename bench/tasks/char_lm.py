"""Predict the next character of a text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench import datasets
from bench.kernels.losses import softmax_cross_entropy
from bench.kernels.norms import is_finite
from bench.records import BadInput, Signature
from bench.seeding import Stream, on_grid
from bench.settings import Annotated, EvaluationSize, PositiveInt, Range
from bench.tasks import Batch, Part, Task

NATS_PER_BIT = 0.6931471805599453  # ln 2
SMALL_PART = 20  # one in so many characters is for validation, one for testing


@dataclass(frozen=True, kw_only=True)
class CharLM(Task):
    """Character language model: which character comes next, at every step of a text.

        input   S i r _ W a l t e
        target  i r _ W a l t e r     bits: the mean of -log2 p(target)

    Windows of `length` characters begin at random places of the training part, and at even
    distances in the others; one-hot characters of the text's own alphabet. The state is zero at the
    window's start, so that this is truncated backpropagation through time with a horizon of
    `length`: nothing is carried over from window to window, and the first characters of each are
    predicted with little to go by. The text is split by
    position: 90 % training, 5 % validation, 5 % test.

    Softmax cross-entropy over all steps; the metric is bits per character (lower is better). Chance
    is the entropy of the text's single characters, what a prediction costs that does not look back.
    Solved: fewer validation bits than the conditional entropy H(next | this) of the training part,
    which no model that remembers one character alone goes below there.

    `text` = persuasion is Jane Austen's novel of 1818, in the public domain, taken from Debian's
    r-cran-janeaustenr and carried by the package (bench/tasks/data/README.md): 463,277 characters,
    75 different. Another NAME is read from NAME.txt in $BENCH_DATA/text (bench/datasets.py).

    Reference: Mikolov 2012, Statistical language models based on neural networks (thesis, Brno);
    Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, section 4.2. Their text is the Penn Treebank:
    no number there compares.
    """

    dataset: ClassVar[str] = "text/{text}"
    inputs: ClassVar[str] = "sequence"
    metric: ClassVar[str] = "bits_per_character"
    higher_is_better: ClassVar[bool] = False
    portable: ClassVar[bool] = True
    time_steps: ClassVar[tuple[str, int]] = ("length", 1)
    requires: ClassVar[dict[str, str]] = {
        "length < dataset.size // 20": (
            "the validation part, a twentieth of the text, holds no such window; take a longer "
            "text, or shorter windows"
        ),
    }

    text: str
    length: Annotated[int, Range(at_least=2)]
    batch_size: PositiveInt
    steps: PositiveInt
    evaluation_size: EvaluationSize

    @property
    def signature(self) -> Signature:
        size = len(_alphabet(self.text))
        return Signature(input_size=size, output_size=size, output_steps=self.length)

    @property
    def chance_loss(self) -> float:
        return self.chance_metric * NATS_PER_BIT

    @property
    def chance_metric(self) -> float:
        return entropies(self.text)[0]

    def training_batch(self, step: int, seed: int) -> Batch:
        stream = Stream("training data", self.name, step, seed=seed)
        return self._windows(
            "training", stream.integers(0, self._places("training"), (self.batch_size,))
        )

    def evaluation_batch(self, part: Part, seed: int) -> Batch:  # noqa: ARG002
        last = self._places(part) - 1
        return self._windows(
            part, np.arange(self.evaluation_size) * last // (self.evaluation_size - 1)
        )

    def _places(self, part: str) -> int:
        """How many places a window can begin at."""
        there = len(_parts(self.text)[part]) - self.length
        if there < 1:
            raise BadInput(
                f"task.{self.name}.length={self.length}: the {part} part of text {self.text} has "
                f"{there + self.length} characters; take a longer text, or shorter windows"
            )
        return there

    def _windows(self, part: str, starts: np.ndarray) -> Batch:
        codes = _parts(self.text)[part][starts + np.arange(self.length + 1)[:, None]]
        one_hot = np.eye(self.signature.input_size, dtype=np.float32)
        return Batch(one_hot[codes[:-1]], codes[1:])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return softmax_cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def score(self, outputs: Tensor, targets: Tensor) -> float:
        if not is_finite(outputs):
            return math.nan
        return float(self.loss(outputs.double(), targets)) / NATS_PER_BIT

    def is_solved(self, loss: float, score: float) -> bool:  # noqa: ARG002
        return score < entropies(self.text)[1]


@lru_cache(maxsize=4)
def _alphabet(text: str) -> str:
    """Every character that occurs, in the order of their codes."""
    return "".join(sorted(set(datasets.text(text))))


@lru_cache(maxsize=4)
def _parts(text: str) -> dict[str, np.ndarray]:
    """Part -> int64 numbers of its characters in the alphabet."""
    alphabet = np.frombuffer(_alphabet(text).encode(), dtype=np.uint8)
    codes = np.searchsorted(
        alphabet, np.frombuffer(datasets.text(text).encode(), dtype=np.uint8)
    ).astype(np.int64)
    small = len(codes) // SMALL_PART
    training, validation, test = np.split(codes, [len(codes) - 2 * small, len(codes) - small])
    return {"training": training, "validation": validation, "test": test}


@lru_cache(maxsize=4)
def entropies(text: str) -> tuple[float, float]:
    """Bits: H(character) of the whole text, H(next | this) of its training part."""
    parts, size = _parts(text), len(_alphabet(text))
    single = np.bincount(np.concatenate(list(parts.values())), minlength=size)
    training = parts["training"]
    pairs = np.bincount(training[:-1] * size + training[1:], minlength=size * size)
    return _bits(single), _bits(pairs) - _bits(pairs.reshape(size, size).sum(axis=1))


def _bits(counts: np.ndarray) -> float:
    """The entropy of the shares that `counts` are."""
    shares = [int(count) / int(counts.sum()) for count in counts if count]
    # Logarithms differ in the last place between maths libraries.
    bits = -math.fsum(share * math.log(share) for share in shares) / NATS_PER_BIT
    return float(on_grid(np.array(bits)))
