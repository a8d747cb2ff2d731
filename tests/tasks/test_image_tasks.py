"""MNIST and its like, on small files of the same format; on the real ones where they can be had."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import datasets, discovery
from bench.planning import plan
from bench.records import BadInput
from bench.tasks import Task
from bench.tasks._images import averaged, parts, permutation
from bench.training.run import run
from tests.contracts import test_tasks as battery
from tests.idx_files import TEST, TRAINING, pixels_and_labels, write_idx
from tests.specs import member, spec, why_not_here

WHOLE = {"fashion_mnist": "fashion-mnist", "mnist": "mnist"}
SEQUENTIAL = {"sequential_fashion_mnist": "fashion-mnist", "sequential_mnist": "mnist"}
PERMUTED = {"permuted_fashion_mnist": "fashion-mnist", "permuted_mnist": "mnist"}
ALL = WHOLE | SEQUENTIAL | PERMUTED
each_size = pytest.mark.parametrize("pixels", [784, 196, 49])


@pytest.fixture(scope="module", autouse=True)
def small_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """$BENCH_DATA with both data sets, one plain and one compressed."""
    folder = tmp_path_factory.mktemp("data")
    write_idx(folder / "mnist", compressed=False)
    write_idx(folder / "fashion-mnist", compressed=True)
    patch = pytest.MonkeyPatch()
    patch.setenv("BENCH_DATA", str(folder))
    yield folder
    patch.undo()


def build(name: str, **settings: Any) -> Task:
    task: Task = discovery.build("task", member("task", name, **settings))
    return task


def checks() -> dict[str, Callable[[str], None]]:
    """The acceptance battery, which finds no data on most machines."""
    found: dict[str, Callable[..., None]] = {
        name: check for name, check in vars(battery).items() if name.startswith("test_")
    }
    typed = found.pop("test_the_loss_is_a_differentiable_number_in_the_type_of_the_outputs")
    for dtype in (torch.float32, torch.float64):
        found[f"the loss in {dtype}"] = partial(typed, dtype=dtype)
    return found


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("check", checks())
def test_the_acceptance_battery_on_small_files(name: str, check: str) -> None:
    checks()[check](name)


@pytest.mark.parametrize("name", sorted(set(ALL.values())))
def test_the_parts_are_those_of_the_two_files_in_their_order(name: str) -> None:
    pixels, labels = pixels_and_labels("training")
    cut = TRAINING * 5 // 6
    for part, rows in {"training": slice(0, cut), "validation": slice(cut, None)}.items():
        assert np.array_equal(parts(name)[part][0], pixels[rows])
        assert np.array_equal(parts(name)[part][1], labels[rows])
    assert np.array_equal(parts(name)["test"][0], pixels_and_labels("test")[0])


@pytest.mark.parametrize("name", ALL)
def test_an_epoch_shows_every_training_image_once(name: str) -> None:
    task = build(name, batch_size=250)
    labels = [task.training_batch(step, seed=3).targets.ravel() for step in range(1, 9)]
    images = [
        task.training_batch(step, 3).inputs.reshape(-1, 250 if name not in WHOLE else 784)
        for step in range(1, 9)
    ]
    expected = np.bincount(pixels_and_labels("training")[1][:1000])
    for epoch in (slice(0, 4), slice(4, 8)):
        assert np.array_equal(np.bincount(np.concatenate(labels[epoch])), expected)
    assert not np.array_equal(images[0], images[4])


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_image_is_its_pixels_between_0_and_1(name: str) -> None:
    batch = build(name).evaluation_batch("test", 0)
    pixels, labels = pixels_and_labels("test")
    expected = (pixels[:100].reshape(100, 784) / 255).astype(np.float32)
    assert np.array_equal(batch.inputs, expected)
    assert np.array_equal(batch.targets, labels[:100])


@each_size
@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_sequence_is_the_image_row_by_row(name: str, pixels: int) -> None:
    batch = build(name, pixels=pixels).evaluation_batch("validation", 0)
    images, labels = (array[1000:1100] for array in pixels_and_labels("training"))
    side = math.isqrt(pixels)
    block = 28 // side
    assert batch.inputs.shape == (pixels, 100, 1)
    assert np.array_equal(batch.targets, labels[None])
    for example, step in ((0, 0), (3, 1), (99, side), (50, pixels - 1)):
        row, column = step // side * block, step % side * block
        square = images[example, row : row + block, column : column + block].astype(float)
        assert batch.inputs[step, example, 0] == np.float32(square.sum() / (255 * block**2))


@each_size
@pytest.mark.parametrize("name", PERMUTED)
def test_permuted_pixels_are_the_sequence_in_one_order_for_all_seeds(
    name: str, pixels: int
) -> None:
    in_order = build(name.replace("permuted", "sequential"), pixels=pixels)
    task, order = build(name, pixels=pixels), permutation(pixels)
    for seed in (0, 1):
        batch, other = task.training_batch(2, seed), in_order.training_batch(2, seed)
        assert np.array_equal(batch.inputs, other.inputs[order])
        assert np.array_equal(batch.targets, other.targets)


def test_the_permutations_are_the_published_ones() -> None:
    assert permutation(784)[:3].tolist() == [599, 565, 684]
    for pixels, expected in (
        (784, "6f4c34b3bb610bb3"),
        (196, "cb9e4ecdefab71c0"),
        (49, "e98850f001ba0a15"),
    ):
        order = permutation(pixels)
        assert sorted(order) == list(range(pixels))
        assert hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()[:16] == expected


def test_averages_are_exact_and_keep_the_mean() -> None:
    pixels, _ = pixels_and_labels("test")
    for side in (28, 14, 7):
        means = averaged(pixels, side).astype(float).mean()
        assert means == pytest.approx(pixels.mean() / 255, rel=1e-6)
        assert (averaged(np.full((1, 28, 28), 255, np.uint8), side) == 1).all()


def test_more_images_than_there_are_is_one_line() -> None:
    with pytest.raises(BadInput, match=f"evaluation_size=160: the test part .* holds {TEST}"):
        build("mnist", evaluation_size=160).evaluation_batch("test", 0)


@pytest.mark.parametrize("name", ALL)
def test_the_record_says_which_data_was_read(name: str) -> None:
    architecture = "mlp" if name in WHOLE else "rnn_tanh"
    record = run(spec(name, architecture, steps=2))
    assert record.facts["dataset_digest"] == datasets.digest(ALL[name])


def test_the_record_of_a_task_without_data_says_nothing_of_it() -> None:
    assert "dataset_digest" not in run(spec("adding", steps=2)).facts


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OURS", "DEBIAN"):
        monkeypatch.setattr(datasets, name, tmp_path / name)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("name", ALL)
def test_a_task_named_alone_without_its_data_is_refused(no_data: Path, name: str) -> None:
    architecture = "mlp" if name in WHOLE else "lstm"
    assert why_not_here(name)
    with pytest.raises(BadInput, match=f"^task={name}: data set {ALL[name]}: not found in "):
        plan([f"task={name}", f"architecture={architecture}"])


def test_inside_a_grid_it_is_left_out_and_listed(no_data: Path) -> None:
    line = ["task=mnist,digits,fashion_mnist", "architecture=mlp", "mitigation=none,l2"]
    write_idx(no_data / "fashion-mnist", compressed=True)
    planned = plan(line)
    assert {each.task.name for each in planned.runs} == {"digits", "fashion_mnist"}
    ((what, reason),) = planned.left_out
    assert what == "task=mnist"
    assert reason.startswith("data set mnist: not found")
    assert f"{what}: {reason}" in planned.describe(cores=1)
    write_idx(no_data / "mnist", compressed=True)
    assert not plan(line).left_out


def test_a_grid_of_nothing_but_missing_data_is_refused(no_data: Path) -> None:
    with pytest.raises(BadInput, match=r"^task=mnist: data set mnist: not found"):
        plan(["task=mnist,adding", "architecture=mlp"])


def test_damaged_data_is_found_out_while_planning(no_data: Path) -> None:
    write_idx(no_data / "mnist", compressed=False)
    (no_data / "mnist" / datasets.FILES["test labels"]).write_bytes(b"")
    with pytest.raises(BadInput, match="t10k-labels-idx1-ubyte: begins with nothing"):
        plan(["task=mnist", "architecture=mlp"])


@pytest.fixture(scope="module")
def debian_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with Fashion-MNIST, installed from Debian's package where it is not there yet."""
    folder = datasets.DEBIAN
    if not (folder / "fashion-mnist").is_dir():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip("dataset-fashion-mnist is not installed, and only root with apt can do so")
        done = subprocess.run(
            ["apt-get", "install", "--yes", "dataset-fashion-mnist"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"dataset-fashion-mnist cannot be installed: {done.stderr[-200:]}")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, data in ALL.items() if data == "fashion-mnist"])
def test_a_few_updates_on_the_real_fashion_mnist(
    debian_package: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(debian_package))
    found = {part: len(labels) for part, (_, labels) in parts("fashion-mnist").items()}
    assert found == {"training": 50_000, "validation": 10_000, "test": 10_000}
    assert datasets.digest("fashion-mnist").startswith("eee656c63c1c7a3b")
    architecture = "mlp" if name in WHOLE else "lstm"
    settings = {} if name in WHOLE else {"pixels": 784}
    record = run(spec(name, architecture, optimizer="adam", steps=5, task_settings=settings))
    assert record.outcome.is_result
    assert record.scores["final_validation_loss"] < 2 * math.log(10)
    assert 0 <= record.scores["test_metric"] <= 1
