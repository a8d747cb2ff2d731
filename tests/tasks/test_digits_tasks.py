"""Real data: the three parts, the epochs, and how an image becomes a sequence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bench.tasks._digits import DigitsTask, parts
from bench.tasks.digits import Digits
from bench.tasks.sequential_digits import SequentialDigits

SIZES = {"training": 1197, "validation": 300, "test": 300}


def digits(batch_size: int = 32) -> Digits:
    return Digits(batch_size=batch_size, steps=1, evaluation_size=300)


def sequential(images: int, batch_size: int = 32, evaluation_size: int = 300) -> SequentialDigits:
    return SequentialDigits(
        images=images, batch_size=batch_size, steps=1, evaluation_size=evaluation_size
    )


def rows_of(pixels: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    return [(image.tobytes(), int(label)) for image, label in zip(pixels, labels, strict=True)]


def test_the_parts_are_disjoint_and_together_the_whole_set() -> None:
    """No image of the set occurs twice, so that equal pixels are the same row."""
    pixels, labels = load_digits(return_X_y=True)
    whole = rows_of((pixels / 16).astype(np.float32), labels)
    assert len(set(whole)) == len(whole) == sum(SIZES.values())
    found = [row for part in parts().values() for row in rows_of(*part)]
    assert sorted(found) == sorted(whole)
    assert {part: len(labels) for part, (_, labels) in parts().items()} == SIZES


@pytest.mark.parametrize("part", SIZES)
def test_every_part_holds_every_class_about_evenly(part: str) -> None:
    """So the chance levels, ln 10 and 1/10, are nearly those of the best constant prediction."""
    _, labels = parts()[part]
    shares = np.bincount(labels, minlength=10) / len(labels)
    assert shares.min() > 0.05
    assert shares.max() < 0.15
    assert -(shares * np.log(shares)).sum() == pytest.approx(digits().chance_loss, abs=0.03)
    assert digits().chance_loss == math.log(10)
    assert digits().chance_metric == 0.1


def test_pixels_are_exact_in_float32_and_between_0_and_1() -> None:
    for pixels, _ in parts().values():
        assert np.array_equal(pixels, pixels.astype(np.float32))
        assert pixels.min() == 0
        assert pixels.max() == 1


@pytest.mark.parametrize("count", [1, 32, 1197, 1500])
def test_an_epoch_holds_every_training_row_exactly_once(count: int) -> None:
    task: DigitsTask = digits()
    steps = math.ceil(3 * 1197 / count)
    drawn = np.concatenate([task.training_rows(step, 0, count) for step in range(1, steps + 1)])
    epochs = drawn[: 3 * 1197].reshape(3, 1197)
    for epoch in epochs:
        assert np.array_equal(np.sort(epoch), np.arange(1197))
    assert not np.array_equal(epochs[0], epochs[1])


def test_a_batch_of_digits_is_its_rows() -> None:
    task = digits(batch_size=5)
    rows = task.training_rows(7, 3, 5)
    batch = task.training_batch(7, seed=3)
    pixels, labels = parts()["training"]
    assert batch.inputs.shape == (5, 64)
    assert np.array_equal(batch.inputs, pixels[rows])
    assert np.array_equal(batch.targets, labels[rows])


@pytest.mark.parametrize("images", [1, 3])
def test_a_sequence_is_its_images_pixel_by_pixel_and_asks_for_the_first(images: int) -> None:
    task = sequential(images, batch_size=4)
    rows = task.training_rows(2, 0, 4 * images)
    batch = task.training_batch(2, seed=0)
    pixels, labels = parts()["training"]
    assert batch.inputs.shape == (64 * images, 4, 1)
    assert batch.targets.shape == (1, 4)
    for example in range(4):
        chosen = rows[example * images : (example + 1) * images]
        expected = [pixels[row][i] for row in chosen for i in range(64)]
        assert batch.inputs[:, example, 0].tolist() == expected
        assert batch.targets[0, example] == labels[chosen[0]]


def test_evaluation_reads_its_whole_part_in_order_whatever_the_seed() -> None:
    for part in ("validation", "test"):
        pixels, labels = parts()[part]
        for seed in (0, 1):
            batch = digits().evaluation_batch(part, seed)
            assert np.array_equal(batch.inputs, pixels)
            assert np.array_equal(batch.targets, labels)


def test_the_distractors_of_an_evaluated_image_are_its_successors() -> None:
    pixels, labels = parts()["test"]
    batch = sequential(2).evaluation_batch("test", seed=0)
    images = batch.inputs[:, :, 0].T.reshape(300, 2, 64)
    assert np.array_equal(images[:, 0], pixels)
    assert np.array_equal(images[:, 1], np.roll(pixels, -1, axis=0))
    assert np.array_equal(batch.targets[0], labels)


def test_the_split_does_not_depend_on_the_seed_but_the_order_does() -> None:
    one, other = (digits().training_batch(1, seed).inputs for seed in (0, 1))
    assert not np.array_equal(one, other)
