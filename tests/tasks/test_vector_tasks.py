"""The generated feed-forward tasks against slow loops that follow their descriptions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.initial_weights import draw
from bench.seeding import Stream
from bench.tasks.random_labels import RandomLabels
from bench.tasks.spirals import Spirals
from bench.tasks.teacher_student import TeacherStudent
from bench.training.run import run
from tests.specs import spec

SIZES = {"batch_size": 8, "steps": 1, "evaluation_size": 100}


def teacher_student(**settings: object) -> TeacherStudent:
    defaults = {"features": 5, "outputs": 2, "teacher_depth": 3, "teacher_width": 7}
    chosen = {**defaults, "activation": "tanh", "gain": 1.5, **SIZES, **settings}
    return TeacherStudent(**chosen)  # type: ignore[arg-type]


def said_by_the_teacher(task: TeacherStudent, seed: int, inputs: np.ndarray) -> np.ndarray:
    function = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[task.activation]
    hidden = inputs.astype(float)
    *layers, readout = task.layers(seed)
    assert len(layers) == task.teacher_depth
    for weights in layers:
        hidden = function(hidden @ weights.T)
    return np.asarray(hidden @ readout.T)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("depth", [1, 4])
def test_targets_are_the_teachers_outputs_up_to_one_shift_and_scale(
    activation: str, depth: int
) -> None:
    task = teacher_student(activation=activation, teacher_depth=depth)
    batches = [task.training_batch(step, 5) for step in (1, 2)]
    batches.append(task.evaluation_batch("test", 5))
    inputs = np.concatenate([batch.inputs for batch in batches])
    targets = np.concatenate([batch.targets for batch in batches])
    answers = said_by_the_teacher(task, 5, inputs)
    for output in range(2):
        slope, shift = np.polyfit(answers[:, output], targets[:, output], 1)
        assert slope > 0
        np.testing.assert_allclose(
            slope * answers[:, output] + shift, targets[:, output], atol=1e-9
        )


@pytest.mark.parametrize("gain", [0.01, 1.0, 3.0])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_predicting_zero_costs_one_whatever_the_teacher(activation: str, gain: float) -> None:
    task = teacher_student(activation=activation, gain=gain, evaluation_size=4000)
    for seed in range(3):
        targets = task.evaluation_batch("validation", seed).targets
        assert np.abs(targets.mean(axis=0)).max() < 0.12
        assert np.mean(targets**2) == pytest.approx(1.0, abs=0.25)
        assert targets.std(axis=0).min() > 0.8


def test_each_seed_has_a_teacher_of_its_own_and_no_student_starts_there() -> None:
    task = teacher_student(teacher_width=6)
    one, again, other = task.layers(0), task.layers(0), task.layers(1)
    for layer, weights in enumerate(one):
        assert np.array_equal(weights, again[layer])
        assert not np.array_equal(weights, other[layer])
        for role in ("input", "hidden", "readout"):
            stream = Stream("initial weights", role, layer, "", *weights.shape, seed=0)
            assert not np.array_equal(weights, draw("gaussian", weights.shape, 1.5, stream))


def random_labels(**settings: int) -> RandomLabels:
    return RandomLabels(**{"features": 6, "classes": 7, **SIZES, **settings})


def test_the_set_is_fixed_and_every_label_equally_frequent() -> None:
    task = random_labels(evaluation_size=140)
    whole = task.evaluation_batch("validation", 3)
    assert np.array_equal(np.bincount(whole.targets), [20] * 7)
    assert np.array_equal(whole.inputs, task.evaluation_batch("test", 3).inputs)
    assert not np.array_equal(whole.targets, task.evaluation_batch("test", 4).targets)
    known = {row.tobytes(): label for row, label in zip(whole.inputs, whole.targets, strict=True)}
    assert len(known) == 140
    seen = set()
    for step in range(1, 36):  # two epochs
        batch = task.training_batch(step, 3)
        for row, label in zip(batch.inputs, batch.targets, strict=True):
            assert known[row.tobytes()] == label
            seen.add(row.tobytes())
    assert seen == set(known)


def test_labels_tell_nothing_of_inputs() -> None:
    """A linear fit explains as much of random labels as its number of weights allows."""
    whole = random_labels(evaluation_size=7000).evaluation_batch("test", 0)
    classes = np.eye(7)[whole.targets] - 1 / 7
    weights, *_ = np.linalg.lstsq(whole.inputs.astype(float), classes, rcond=None)
    explained = np.sum((whole.inputs @ weights) ** 2) / np.sum(classes**2)
    assert explained < 3 * 6 / 7000


def test_a_wide_network_memorises_them() -> None:
    wanted = spec(
        "random_labels",
        "mlp",
        optimizer="adam",
        steps=400,
        task_settings={"classes": 3, "batch_size": 25, "features": 32},
        architecture_settings={"depth": 2, "hidden_size": 64, "activation": "relu"},
        optimizer_settings={"lr": 0.01},
    )
    record = run(wanted)
    assert record.scores["test_metric"] == 1.0
    assert record.solved_step is not None


def spirals(count: int = 2, turns: float = 3.0, **settings: int) -> Spirals:
    return Spirals(spirals=count, turns=turns, **{**SIZES, **settings})


def test_the_classical_points_lie_on_the_two_spirals() -> None:
    """Lang & Witbrock's 97 points of the first spiral, in units of 6.5; the second is its mirror
    image in the origin."""
    batch = spirals(evaluation_size=20_000).evaluation_batch("test", 0)
    for number in range(97):
        angle, radius = number * math.pi / 16, (104 - number) / 104
        point = np.array([radius * math.sin(angle), radius * math.cos(angle)])
        for label, sign in ((0, 1), (1, -1)):
            distances = np.linalg.norm(batch.inputs[batch.targets == label] - sign * point, axis=1)
            # 10,000 points over a length of about 10.
            assert distances.min() < 0.02


@pytest.mark.parametrize(("count", "turns"), [(2, 3.0), (3, 1.5), (5, 2.25)])
def test_a_point_is_told_by_its_angle_and_radius(count: int, turns: float) -> None:
    batch = spirals(count, turns, evaluation_size=5000).evaluation_batch("validation", 1)
    x, y = batch.inputs.astype(float).T
    way = (1 - np.hypot(x, y)) / (1 - 8 / 104)
    share = (np.arctan2(x, y) / (2 * math.pi) - turns * way) * count
    assert np.array_equal(np.round(share).astype(int) % count, batch.targets)
    np.testing.assert_allclose(share, np.round(share), atol=1e-3)
    assert 0 <= way.min() < 0.01
    assert 0.99 < way.max() < 1
    shares = np.bincount(batch.targets, minlength=count) / 5000
    np.testing.assert_allclose(shares, 1 / count, atol=4.5 * math.sqrt(0.25 / 5000))


def test_points_lie_on_a_grid_on_which_maths_libraries_agree() -> None:
    inputs = spirals().training_batch(1, 0).inputs.astype(float)
    assert np.array_equal(inputs * 2**20, np.round(inputs * 2**20))
