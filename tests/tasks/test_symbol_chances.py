"""The chance levels of the tasks of symbols: what guesses without memory reach, and no more.

Statistical checks on pinned seeds; each would reject a correct generator on other seeds with a
probability below 1e-5.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from bench.seeding import Stream
from bench.tasks import EXPLOSION_FACTOR, Batch
from bench.tasks._symbols import ClassificationTask
from bench.tasks.copy_memory import CopyMemory
from bench.tasks.denoise import Denoise
from bench.tasks.noiseless_memorisation import NoiselessMemorisation
from bench.tasks.parity import Parity
from bench.tasks.random_permutation import RandomPermutation
from bench.tasks.temporal_order import TemporalOrder
from bench.tasks.temporal_order_3bit import TemporalOrder3Bit

FALSE_ALARM = 1e-5
SIZES: dict[str, Any] = {"batch_size": 4, "steps": 1, "evaluation_size": 100}


def draw(task: ClassificationTask, size: int, seed: int = 0) -> Batch:
    return task.generate(Stream("test of chance", seed=seed), size)


CHANCES: list[tuple[ClassificationTask, list[int]]] = [
    (TemporalOrder(variant="pascanu13", length=30, **SIZES), [*range(4)]),
    (TemporalOrder(variant="hs97", length=30, **SIZES), [*range(4)]),
    (TemporalOrder3Bit(variant="pascanu13", length=30, **SIZES), [*range(8)]),
    (TemporalOrder3Bit(variant="hs97", length=30, **SIZES), [*range(8)]),
    (RandomPermutation(length=30, **SIZES), [0, 1]),
    (Parity(running=False, length=30, **SIZES), [0, 1]),
    (Parity(running=True, length=30, **SIZES), [0, 1]),
    (NoiselessMemorisation(n_values=2, n_pos=5, length=100, **SIZES), [0, 1]),
    (NoiselessMemorisation(n_values=5, n_pos=10, length=100, **SIZES), [*range(5)]),
    (CopyMemory(variant="arjovsky", length=30, **SIZES), [*range(8)]),
    (CopyMemory(variant="exprnn", length=30, **SIZES), [*range(8)]),
    (CopyMemory(variant="scalar", length=30, **SIZES), [*range(8)]),
    (CopyMemory(variant="variable", length=30, **SIZES), [*range(8)]),
    (Denoise(length=30, **SIZES), [*range(8)]),
]
"""A task, and the classes of which an even one is asked for wherever memory is needed."""
each_chance = pytest.mark.parametrize(("task", "symbols"), CHANCES)


def without_memory(task: ClassificationTask, targets: Tensor, symbols: list[int]) -> Tensor:
    """Logits: even over `symbols` where one of them is asked for, else certain of the target."""
    logits = torch.full((*targets.shape, task.signature.output_size), -200.0, dtype=torch.float64)
    asked = torch.isin(targets, torch.tensor(symbols))
    logits.scatter_(2, targets[..., None], 0.0)
    for symbol in symbols:
        logits[..., symbol][asked] = 0.0
    return logits


@each_chance
def test_the_chance_loss_is_that_of_even_guesses(
    task: ClassificationTask, symbols: list[int]
) -> None:
    targets = torch.from_numpy(draw(task, 50).targets)
    loss = float(task.loss(without_memory(task, targets, symbols), targets))
    assert loss == pytest.approx(task.chance_loss, rel=1e-12)


@each_chance
def test_the_targets_are_even_and_independent_of_their_neighbours(
    task: ClassificationTask, symbols: list[int]
) -> None:
    """So nothing beats an even guess: each symbol as often, and so is each pair of two in a row."""
    targets = draw(task, 4000).targets
    asked = np.isin(targets, symbols)
    counts = [(targets[asked] == symbol).sum() for symbol in symbols]
    assert stats.chisquare(counts).pvalue > FALSE_ALARM
    last = len(targets) // 2 * 2
    both = asked[0:last:2] & asked[1:last:2]  # pairs that do not overlap
    if both.any():
        pairs = zip(targets[0:last:2][both], targets[1:last:2][both], strict=True)
        found = Counter((int(one), int(other)) for one, other in pairs)
        counts = [found[pair] for pair in itertools.product(symbols, repeat=2)]
        assert stats.chisquare(counts).pvalue > FALSE_ALARM


@each_chance
def test_the_chance_metric_is_that_of_one_constant_guess(
    task: ClassificationTask, symbols: list[int]
) -> None:
    targets = torch.from_numpy(draw(task, 4000, seed=1).targets)
    logits = without_memory(task, targets, symbols)
    asked = torch.isin(targets, torch.tensor(symbols))
    logits[..., symbols[0]] += asked.double()
    scored = 4000 if task.metric == "sequence_accuracy" else int(asked.sum())
    spread = math.sqrt(task.chance_metric * (1 - task.chance_metric) / scored)
    # One hit more, where hardly any is to be expected.
    tolerance = 4.5 * spread + 1 / scored
    assert task.score(logits, targets) == pytest.approx(task.chance_metric, abs=tolerance)


@each_chance
def test_a_uniform_output_has_not_exploded(task: ClassificationTask, symbols: list[int]) -> None:
    assert task.explosion_bound == EXPLOSION_FACTOR * math.log(task.signature.output_size)


def test_chance_by_hand() -> None:
    """Figures of the papers' tables."""
    copy = CopyMemory(variant="arjovsky", length=1000, **SIZES)
    assert copy.chance_loss == pytest.approx(0.0204, abs=5e-5)
    short, long = (
        NoiselessMemorisation(n_values=values, n_pos=places, length=100, **SIZES)
        for values, places in ((2, 5), (5, 10))
    )
    assert short.chance_loss == pytest.approx(0.0315, abs=5e-5)
    assert long.chance_loss == pytest.approx(0.134, abs=5e-4)
    assert short.chance_metric == 1 / 32
    assert long.chance_metric == pytest.approx(1.024e-7)
    for task, numbers in (
        (CopyMemory, ("0.1733", "1/8")),
        (Denoise, ("0.1733", "1/8")),
        (NoiselessMemorisation, ("0.0315", "0.1341", "k^-n")),
        (RandomPermutation, ("ln 2 = 0.693", "1/2", "4.605")),
        (TemporalOrder, ("ln 4 and 1/4",)),
        (TemporalOrder3Bit, ("ln 8 and 1/8",)),
        (Parity, ("ln 2 and 1/2",)),
    ):
        assert all(number in str(task.__doc__) for number in numbers), task
