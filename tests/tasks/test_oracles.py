"""The benchmark tests itself: recorded gradient flow against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench import discovery
from bench.records import RunRecord
from bench.seeding import Stream
from bench.tasks.lorenz import DEVIATION, MEAN, Lorenz, runge_kutta, standardised, trajectory
from bench.training.run import run
from tests.specs import spec

GRID = 2e-6
"""Relative error of one layer, or step, whose weights are rounded to multiples of 2^-20."""


def first_flow(record: RunRecord) -> np.ndarray:
    """|dL/dh| by position, at the first update."""
    flow = record.flow
    rows = flow["step"] == 1
    assert flow["position"][rows].tolist() == list(range(rows.sum()))
    return np.asarray(flow["gradient_norm"][rows])


def growth(gain: float, positions: int) -> np.ndarray:
    return gain ** np.arange(positions - 1, -1, -1.0)


needs_rnn_linear = pytest.mark.skipif(
    "rnn_linear" not in discovery.members("architecture"),
    reason="architecture rnn_linear is not there yet",
)


@needs_rnn_linear
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gain", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("length", [2, 30, 120])
def test_gradients_of_a_linear_rnn_grow_by_its_gain_a_step(
    length: int, gain: float, dtype: str
) -> None:
    wanted = spec(
        task="linear_rnn_growth",
        architecture="rnn_linear",
        architecture_settings={"kind": "orthogonal", "gain": gain},
        task_settings={"length": length},
        steps=1,
        dtype=dtype,
    )
    flow = first_flow(run(wanted))
    rounding = GRID if dtype == "float64" else 2 * GRID
    np.testing.assert_allclose(flow / flow[-1], growth(gain, length), rtol=rounding * length)
    assert flow[-1] > 0


@needs_rnn_linear
def test_a_gain_that_is_not_the_networks_is_told_apart() -> None:
    """The tolerance is far below what one step's wrong gain would make."""
    settings = {"kind": "orthogonal", "gain": 1.25}
    wanted = spec("linear_rnn_growth", "rnn_linear", architecture_settings=settings, steps=1)
    flow = first_flow(run(wanted))
    wrong = growth(1.2501, len(flow))
    assert not np.allclose(flow / flow[-1], wrong, rtol=2 * GRID * len(flow), atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gain", [0.7, 1.0, 1.6])
@pytest.mark.parametrize("depth", [2, 10, 60])
def test_gradients_of_a_deep_linear_network_grow_by_its_gain_a_layer(
    depth: int, gain: float, dtype: str
) -> None:
    settings = {"activation": "linear", "kind": "orthogonal", "gain": gain, "depth": depth}
    wanted = spec(
        task="deep_linear_growth",
        architecture="mlp",
        architecture_settings=settings,
        steps=1,
        dtype=dtype,
    )
    flow = first_flow(run(wanted))
    rounding = GRID if dtype == "float64" else 2 * GRID
    np.testing.assert_allclose(flow / flow[-1], growth(gain, depth), rtol=rounding * depth)
    assert flow[-1] > 0


def test_the_targets_of_deep_linear_growth_are_a_rotation_of_each_seed() -> None:
    wanted = spec(task="deep_linear_growth", architecture="mlp").task
    task = discovery.build("task", wanted)
    batches = [task.training_batch(step, seed) for seed in (0, 1) for step in (1, 2, 3)]
    maps = []
    for seed in range(2):
        inputs = np.concatenate([b.inputs for b in batches[3 * seed : 3 * seed + 3]])
        targets = np.concatenate([b.targets for b in batches[3 * seed : 3 * seed + 3]])
        found, residuals, *_ = np.linalg.lstsq(inputs.astype(float), targets, rcond=None)
        assert residuals.max() < 1e-20
        np.testing.assert_allclose(found.T @ found, np.eye(16), atol=1e-5)
        maps.append(found)
    assert not np.allclose(*maps, atol=0.1)


def test_linear_rnn_growth_asks_at_the_end_for_what_stood_at_the_start() -> None:
    task = discovery.build("task", spec("linear_rnn_growth", task_settings={"length": 7}).task)
    batch = task.training_batch(3, seed=0)
    assert batch.inputs.shape == (7, 8, 8)
    assert not batch.inputs[1:].any()
    assert np.array_equal(batch.targets[0], batch.inputs[0])


@pytest.mark.parametrize("name", ["deep_linear_growth", "linear_rnn_growth"])
def test_chance_is_the_variance_of_the_targets(name: str) -> None:
    """Of standard normal numbers; their squares have a standard deviation of sqrt(2)."""
    task = discovery.build("task", spec(name, task_settings={"evaluation_size": 4000}).task)
    targets = task.evaluation_batch("validation", 0).targets
    tolerance = 4.5 * math.sqrt(2 / targets.size)
    assert np.mean(targets**2) == pytest.approx(task.chance_loss, abs=tolerance)


def lorenz(context: int, length: int, **settings: int) -> Lorenz:
    sizes = {"batch_size": 8, "steps": 1, "evaluation_size": 100} | settings
    return Lorenz(context=context, length=length, dt=0.02, **sizes)


def test_the_context_is_shown_then_nothing_and_every_next_state_is_asked_for() -> None:
    task = lorenz(5, 7)
    batch = task.training_batch(2, seed=1)
    inputs, targets = batch.inputs, batch.targets
    assert inputs.shape == (12, 8, 4)
    assert targets.shape == (12, 8, 3)
    assert (inputs[:5, :, 3] == 1).all()
    assert not inputs[5:].any()
    assert np.array_equal(inputs[1:5, :, :3], targets[:4])
    assert np.array_equal(targets, targets.astype(np.float32))


def test_targets_follow_the_equations() -> None:
    """dx/dt of the trajectory by central differences, against Lorenz's three equations."""
    states = trajectory(Stream("test", seed=0), 3, 50, dt=1e-3)
    x, y, z = np.moveaxis(states[1:-1], -1, 0)
    slopes = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 * z / 3], axis=-1)
    np.testing.assert_allclose((states[2:] - states[:-2]) / 2e-3, slopes, atol=0.02)


def test_the_integration_is_of_fourth_order() -> None:
    start = trajectory(Stream("test", seed=0), 5, 1, dt=0.02)[0].T
    exact = start
    for _ in range(200):
        exact = runge_kutta(exact, 1e-3)
    errors = []
    for steps in (5, 10):
        state = start
        for _ in range(steps):
            state = runge_kutta(state, 0.2 / steps)
        errors.append(np.abs(state - exact).max())
    assert 2**3.5 < errors[0] / errors[1] < 2**5


def test_the_largest_lyapunov_exponent_is_that_of_the_lorenz_system() -> None:
    """0.906 per unit of time. Growth of a small displacement, renormalised every 0.1, averaged over
    128 trajectories of 80 units: within 0.01 (its spread over seeds is 0.002)."""
    state = trajectory(Stream("lyapunov", seed=0), 128, 1, dt=0.02)[0].T.copy()
    size = 1e-8
    nearby = state + np.array([[size], [0.0], [0.0]])
    growths = []
    for period in range(900):
        for _ in range(5):
            state, nearby = runge_kutta(state, 0.02), runge_kutta(nearby, 0.02)
        distance = np.sqrt(((nearby - state) ** 2).sum(axis=0))
        nearby = state + (nearby - state) * (size / distance)
        if period >= 100:  # until then it turns to the direction that grows most
            growths.append(np.log(distance / size).mean() / 0.1)
    assert np.mean(growths) == pytest.approx(0.906, abs=0.01)


def test_states_are_standardised_so_that_the_mean_costs_one() -> None:
    states = trajectory(Stream("test", seed=1), 400, 200, dt=0.05)
    np.testing.assert_allclose(states.mean(axis=(0, 1)), MEAN, atol=0.35)
    np.testing.assert_allclose(states.std(axis=(0, 1)), DEVIATION, rtol=0.02)
    assert np.mean(standardised(states).astype(float) ** 2) == pytest.approx(1, rel=0.02)


def test_only_the_free_running_steps_count_for_the_metric_of_lorenz() -> None:
    task = lorenz(5, 7)
    targets = torch.from_numpy(task.evaluation_batch("test", 0).targets)
    outputs = targets.clone()
    outputs[:5] += 9
    assert task.score(outputs, targets) == 0.0
    assert float(task.loss(outputs, targets)) > 1
    outputs[5, 0, 0] += 1
    assert task.score(outputs, targets) == pytest.approx(1 / (7 * 100 * 3))
