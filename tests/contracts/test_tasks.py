"""The acceptance battery of tasks: every one found on disk."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bench import discovery
from bench.tasks import Batch, Part, Task
from tests.specs import member, with_data_of

NAMES = [with_data_of(name, name) for name in discovery.members("task")]
each_task = pytest.mark.parametrize("name", NAMES)
PARTS: tuple[Part, ...] = ("validation", "test")


def build(name: str) -> Task:
    task: Task = discovery.build("task", member("task", name))
    return task


def all_batches(task: Task) -> dict[str, Batch]:
    training = {
        f"{step}/{seed}": task.training_batch(step, seed) for step in (1, 2) for seed in (0, 1)
    }
    return training | {part: task.evaluation_batch(part, 0) for part in PARTS}  # type: ignore[arg-type]


def perfect_outputs(task: Task, targets: Tensor) -> Tensor:
    if targets.is_floating_point():
        return targets.clone()
    return 50.0 * torch.nn.functional.one_hot(targets, task.signature.output_size).double()


def better(task: Task, one: float, other: float) -> bool:
    return one > other if task.higher_is_better else one < other


@each_task
def test_batches_are_shaped_as_the_signature_says_and_exact_in_float32(name: str) -> None:
    task = build(name)
    signature = task.signature
    sequential = discovery.member("task", name).facts["inputs"] == "sequence"
    for label, batch in all_batches(task).items():
        size = task.evaluation_size if label in PARTS else task.batch_size
        assert batch.inputs.dtype == np.float32
        assert batch.inputs.shape[-2:] == (size, signature.input_size)
        assert batch.inputs.ndim == (3 if sequential else 2)
        assert np.array_equal(batch.inputs, batch.inputs.astype(np.float32))
        assert batch.targets.dtype in (np.float64, np.int64)
        leading = (signature.output_steps, size) if sequential else (size,)
        outputs = (*leading, signature.output_size)
        assert batch.targets.shape in (leading, outputs)
        if batch.targets.dtype == np.int64:
            assert batch.targets.min() >= 0
            assert batch.targets.max() < signature.output_size


@each_task
def test_a_batch_depends_on_step_and_seed_alone(name: str) -> None:
    first, again = all_batches(build(name)), all_batches(build(name))
    for label, batch in first.items():
        assert np.array_equal(batch.inputs, again[label].inputs)
        assert np.array_equal(batch.targets, again[label].targets)
    task = build(name)
    task.training_batch(9, 9)  # whatever was asked before
    assert np.array_equal(task.training_batch(2, 1).inputs, first["2/1"].inputs)


@each_task
def test_training_validation_and_test_share_no_example(name: str) -> None:
    examples = {
        label: {example.tobytes() for example in np.moveaxis(batch.inputs, -2, 0)}
        for label, batch in all_batches(build(name)).items()
    }
    assert not examples["1/0"] & examples["2/0"]  # nor do successive batches
    assert examples["1/0"] != examples["1/1"]
    if discovery.member("task", name).facts.get("memorised", False):
        assert examples["1/0"] < examples["validation"] == examples["test"]
        return
    training = set().union(*(examples[label] for label in examples if label not in PARTS))
    assert not examples["validation"] & examples["test"]
    assert not training & examples["validation"]
    assert not training & examples["test"]


@each_task
def test_a_perfect_predictor_is_perfect_and_has_solved_it(name: str) -> None:
    task = build(name)
    targets = torch.from_numpy(task.evaluation_batch("validation", 0).targets)
    outputs = perfect_outputs(task, targets)
    loss, score = float(task.loss(outputs, targets)), task.score(outputs, targets)
    assert loss == pytest.approx(0, abs=1e-12)
    assert score == (1.0 if task.higher_is_better else 0.0)
    assert task.is_solved(loss, score)
    assert better(task, score, task.chance_metric)


@each_task
def test_chance_is_no_solution(name: str) -> None:
    task = build(name)
    assert 0 < task.chance_loss < math.inf
    assert not task.is_solved(task.chance_loss, task.chance_metric)
    assert not task.is_solved(math.nan, math.nan)
    assert not task.is_solved(math.inf, 0.0 if task.higher_is_better else math.inf)


@each_task
def test_an_untrained_network_has_not_exploded(name: str) -> None:
    """The loss of outputs of zero is at the level of chance, far below the bound."""
    task = build(name)
    targets = torch.from_numpy(task.evaluation_batch("validation", 0).targets)
    zeros = torch.zeros_like(perfect_outputs(task, targets))
    assert 10 * float(task.loss(zeros, targets)) < task.explosion_bound < math.inf


@each_task
def test_one_nan_among_the_outputs_makes_loss_and_score_nan(name: str) -> None:
    task = build(name)
    targets = torch.from_numpy(task.evaluation_batch("validation", 0).targets)
    outputs = perfect_outputs(task, targets)
    outputs.view(-1)[-1] = math.nan
    assert math.isnan(float(task.loss(outputs, targets)))
    assert math.isnan(task.score(outputs, targets))


@each_task
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_is_a_differentiable_number_in_the_type_of_the_outputs(
    name: str, dtype: torch.dtype
) -> None:
    task = build(name)
    targets = torch.from_numpy(task.training_batch(1, 0).targets)
    targets = targets.to(dtype) if targets.is_floating_point() else targets
    outputs = torch.ones_like(perfect_outputs(task, targets), dtype=dtype).requires_grad_()
    loss = task.loss(outputs, targets)
    loss.backward()
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert outputs.grad is not None
    assert outputs.grad.any()
    assert isinstance(task.score(outputs.detach(), targets), float)


@each_task
def test_a_task_knows_its_name(name: str) -> None:
    assert build(name).name == name
