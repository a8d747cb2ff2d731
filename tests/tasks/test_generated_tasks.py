"""The generated tasks, example by example, against slow loops that follow their descriptions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.seeding import Stream
from bench.tasks import EXPLOSION_FACTOR
from bench.tasks.adding import Adding
from bench.tasks.copy_memory import CopyMemory
from bench.tasks.temporal_order import TemporalOrder

MANY = 40_000


def adding(length: int) -> Adding:
    return Adding(variant="arjovsky", length=length, batch_size=8, steps=1, evaluation_size=100)


def temporal_order(length: int) -> TemporalOrder:
    return TemporalOrder(
        variant="pascanu13", length=length, batch_size=8, steps=1, evaluation_size=100
    )


def copy_memory(length: int) -> CopyMemory:
    return CopyMemory(variant="arjovsky", length=length, batch_size=8, steps=1, evaluation_size=100)


def stream(seed: int = 0) -> Stream:
    return Stream("test of tasks", seed=seed)


@pytest.mark.parametrize("length", [2, 3, 7, 50])
def test_adding_marks_one_value_in_each_half_and_asks_for_their_sum(length: int) -> None:
    batch = adding(length).generate(stream(), 300)
    assert batch.inputs.shape == (length, 300, 2)
    assert batch.targets.shape == (1, 300, 1)
    firsts, seconds = set(), set()
    for example in range(300):
        values, markers = batch.inputs[:, example].T
        marked = [t for t in range(length) if markers[t] == 1]
        assert sum(markers) == 2
        first, second = marked
        assert first < length // 2 <= second < length
        assert batch.targets[0, example, 0] == values[first] + values[second]
        assert all(0 <= value < 1 for value in values)
        firsts.add(first)
        seconds.add(second)
    if length < 10:  # 300 examples miss one of at most 4 places with a probability below 1e-36
        assert firsts == set(range(length // 2))
        assert seconds == set(range(length // 2, length))


@pytest.mark.parametrize("length", [10, 25, 50])
def test_temporal_order_hides_two_symbols_in_their_windows_and_asks_for_the_order(
    length: int,
) -> None:
    batch = temporal_order(length).generate(stream(), 300)
    assert batch.inputs.shape == (length, 300, 6)
    assert batch.targets.shape == (1, 300)
    seen = set()
    for example in range(300):
        steps = batch.inputs[:, example]
        assert np.array_equal(steps.sum(axis=1), np.ones(length))
        symbols = steps.argmax(axis=1)
        first, second = (t for t in range(length) if symbols[t] in (0, 1))
        assert length // 10 <= first < 2 * (length // 10)
        assert length // 2 <= second < length // 2 + length // 10
        assert batch.targets[0, example] == symbols[first] + 2 * symbols[second]
        seen |= set(symbols)
    assert seen == set(range(6))
    assert set(batch.targets[0]) == {0, 1, 2, 3}


def test_the_examples_drawn_in_the_docstrings_are_right() -> None:
    drawn = next(line for line in str(TemporalOrder.__doc__).splitlines() if "->" in line)
    symbols, label = drawn.split("->")[0].split(), drawn.split("=")[-1]
    assert len(symbols) == 20
    first, second = (t for t, symbol in enumerate(symbols) if symbol in "AB")
    assert 2 <= first < 4
    assert 10 <= second < 12
    assert int(label) == "AB".index(symbols[first]) + 2 * "AB".index(symbols[second])

    lines = str(Adding.__doc__).splitlines()
    values = next(line.split()[1:] for line in lines if line.split()[:1] == ["value"])
    markers = next(line for line in lines if line.split()[:1] == ["marker"])
    marked, total = markers.split("->")[0].split()[1:], markers.split("=")[1]
    chosen = [float(v) for v, m in zip(values, marked, strict=True) if m == "1"]
    assert sum(chosen) == pytest.approx(float(total))


@pytest.mark.parametrize("length", [1, 2, 30])
def test_copy_memory_asks_for_the_ten_symbols_after_the_marker(length: int) -> None:
    task = copy_memory(length)
    batch = task.generate(stream(), 50)
    total = length + 20
    assert batch.inputs.shape == (total, 50, 10)
    assert batch.targets.shape == (total, 50)
    assert task.signature.output_steps == total
    blank, marker = 8, 9
    for example in range(50):
        symbols = [int(step.argmax()) for step in batch.inputs[:, example]]
        word = symbols[:10]
        assert max(word) < 8
        assert symbols[10:] == [blank] * (length - 1) + [marker] + [blank] * 10
        assert list(batch.targets[:, example]) == [blank] * (length + 10) + word
    assert set(batch.inputs.argmax(axis=2)[:10].ravel()) == set(range(8))


def test_the_chance_level_of_adding_is_the_variance_of_the_sum() -> None:
    """The best constant is the mean; (s - 1)^2 has a standard deviation of 0.2."""
    task = adding(6)
    sums = task.generate(stream(1), MANY).targets.ravel()
    tolerance = 4.5 * 0.2 / math.sqrt(MANY)
    assert np.mean((sums - sums.mean()) ** 2) == pytest.approx(task.chance_loss, abs=tolerance)
    assert task.chance_metric == task.chance_loss


def test_the_chance_level_of_temporal_order_is_that_of_four_even_classes() -> None:
    task = temporal_order(20)
    shares = np.bincount(task.generate(stream(1), MANY).targets.ravel()) / MANY
    np.testing.assert_allclose(shares, 0.25, atol=4.5 * math.sqrt(0.25 * 0.75 / MANY))
    assert -(shares * np.log(shares)).sum() == pytest.approx(task.chance_loss, abs=1e-3)
    assert task.chance_metric == 0.25


@pytest.mark.parametrize("length", [5, 40])
def test_the_chance_level_of_copy_memory_is_the_best_guess_for_each_step(length: int) -> None:
    """Without memory the best output at a step is the distribution of its targets: an entropy."""
    task = copy_memory(length)
    targets = task.generate(stream(1), MANY // 10).targets
    entropy = 0.0
    for step in targets:
        shares = np.bincount(step, minlength=9) / len(step)
        entropy -= sum(share * math.log(share) for share in shares if share > 0)
    assert entropy / len(targets) == pytest.approx(task.chance_loss, rel=1e-3)
    # The metric reads the recall steps alone.
    guess = torch.zeros(length + 20, len(step), 9)
    guess[:, :, 3] = 1
    recall = task.score(guess, torch.from_numpy(targets))
    assert recall == pytest.approx(task.chance_metric, abs=4.5 * math.sqrt(0.11 / targets.size))


@pytest.mark.parametrize("length", [1, 100, 10_000])
def test_a_uniform_guess_has_not_exploded_however_long_the_silence(length: int) -> None:
    task = copy_memory(length)
    assert task.explosion_bound >= EXPLOSION_FACTOR * math.log(9)


def test_only_the_recall_steps_count_for_the_metric_of_copy_memory() -> None:
    task = copy_memory(7)
    targets = torch.from_numpy(task.generate(stream(), 4).targets)
    outputs = torch.nn.functional.one_hot(targets, 9).double()
    outputs[:-10] = outputs[:-10].roll(1, dims=2)  # all wrong
    assert task.score(outputs, targets) == 1.0
    outputs[-1, 0] = outputs[-1, 0].roll(1)
    assert task.score(outputs, targets) == 1 - 1 / 40


@pytest.mark.parametrize("task", [adding(20), temporal_order(20), copy_memory(5)])
def test_no_example_occurs_twice_in_a_batch_or_in_the_next_one(task: Adding) -> None:
    first, second = (task.training_batch(step, seed=0).inputs for step in (1, 2))
    examples = [example.tobytes() for batch in (first, second) for example in batch.swapaxes(0, 1)]
    assert len(set(examples)) == len(examples)
