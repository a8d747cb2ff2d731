"""Every outcome of a run, brought about and recognised."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.mitigations.none import NoMitigation
from bench.records import Event, EventKind, Outcome
from bench.training.run import run
from tests.specs import exploding, member, spec

NONE, SKIP = member("mitigation", "none"), member("mitigation", "skip_nonfinite")
ALWAYS = set(range(1, 1000))


def test_skipping_alone_is_frozen(plant_in_gradient):
    plant_in_gradient(math.nan, ALWAYS)
    record = run(spec(mitigation=(NONE, SKIP), steps=60, window=7))
    assert record.outcome is Outcome.FROZEN
    assert record.steps_done == 7
    assert record.scores["final_validation_loss"] == record.scores["initial_validation_loss"]


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_an_adaptive_optimiser_is_frozen_by_gradients_of_1e30(monkeypatch, optimizer):
    def prepare(self, network, seed, inputs):
        for parameter in network.parameters():
            parameter.register_hook(lambda gradient: torch.full_like(gradient, 1e30))

    monkeypatch.setattr(NoMitigation, "prepare", prepare)
    record = run(spec(optimizer=optimizer, steps=30))
    assert record.outcome is Outcome.FROZEN
    assert record.steps_done == 1
    assert record.event_counts[EventKind.OPTIMIZER_STATE_NONFINITE] == 1
    assert math.isfinite(record.scores["test_loss"])


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, EventKind.LOSS_NAN), (math.inf, EventKind.LOSS_INF)]
)
def test_a_loss_that_is_not_finite_for_a_window_is_divergence(plant_in_loss, value, kind):
    plant_in_loss(value, from_update=5)
    record = run(spec(mitigation="skip_nonfinite", steps=60, window=6))
    assert (record.first_event.kind, record.first_event.step) == (kind, 5)
    assert record.outcome is Outcome.DIVERGED
    assert record.steps_done == 10


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, EventKind.PARAMETER_NAN), (-math.inf, EventKind.PARAMETER_INF)]
)
@pytest.mark.parametrize("steps", [4, 10])  # the last update among them
def test_a_parameter_that_is_not_finite_is_divergence_at_once(
    plant_in_parameters, value, kind, steps
):
    plant_in_parameters("bias_0", value, at=4)
    record = run(spec(steps=steps))
    assert record.outcome is Outcome.DIVERGED
    assert record.steps_done == 4
    assert (record.first_event.kind, record.first_event.tensor) == (kind, "bias_0")


def test_skip_nonfinite_goes_on_where_none_diverges():
    alone, protected = (
        run(exploding(steps=60)),
        run(exploding("skip_nonfinite", steps=60, window=50)),
    )
    assert alone.outcome is Outcome.DIVERGED
    assert protected.steps_done > alone.steps_done
    assert all(map(math.isfinite, protected.curves["update_to_weight_ratio"]))


def test_clipping_goes_on_where_none_diverges():
    assert run(exploding(steps=40)).outcome is Outcome.DIVERGED
    clipped = run(exploding("clip_norm", steps=40))
    assert clipped.outcome is Outcome.COMPLETED
    assert clipped.curves["clip_fraction"].max() == 1
    assert clipped.curves["transformed_gradient_norm_max"].max() <= 1 + 1e-6


@pytest.mark.parametrize("steps", [1, 19])
def test_a_run_shorter_than_the_window_is_judged_all_the_same(plant_in_loss, steps):
    plant_in_loss(math.nan, from_update=1)
    record = run(spec(mitigation="skip_nonfinite", steps=steps, window=20))
    assert (record.outcome, record.steps_done) == (Outcome.DIVERGED, steps)


def test_skipping_alone_is_frozen_in_a_short_run_too(plant_in_gradient):
    plant_in_gradient(math.nan, ALWAYS)
    record = run(spec(mitigation=(NONE, SKIP), steps=19, window=20))
    assert (record.outcome, record.steps_done) == (Outcome.FROZEN, 19)


@pytest.mark.parametrize("steps", [1, 7])
def test_a_network_that_its_last_update_spoils_has_diverged(plant_in_parameters, steps):
    """The parameters are finite, and the loss on the last batch was taken before the update."""
    plant_in_parameters("readout_bias", 1e30, at=steps)
    record = run(spec(steps=steps))
    assert (record.outcome, record.steps_done) == (Outcome.DIVERGED, steps)
    assert record.first_event == Event(EventKind.LOSS_INF, steps, "validation loss")
    assert record.event_counts == {EventKind.LOSS_INF: 1}


def test_a_bad_but_finite_end_is_a_number(plant_in_parameters):
    plant_in_parameters("readout_bias", 1e3, at=7)
    record = run(spec(steps=7))
    assert record.outcome is Outcome.COMPLETED
    assert record.first_event is None
    assert record.scores["final_validation_loss"] > record.facts["explosion_bound"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop"])
def test_a_learning_rate_that_moves_no_weight_is_frozen(architecture, optimizer, dtype):
    """Though it moves the biases, which start at zero: nothing comes of it, to the bit."""
    task = "digits" if architecture == "mlp" else "adding"
    still = {"optimizer": optimizer, "optimizer_settings": {"lr": 1e-30}, "dtype": dtype}
    record = run(spec(task, architecture, steps=40, window=30, **still))
    assert (record.outcome, record.steps_done) == (Outcome.FROZEN, 30)
    assert record.curves["update_to_weight_ratio"].min() > 0
    assert record.scores["final_validation_loss"] == record.scores["initial_validation_loss"]


@pytest.mark.parametrize("mitigation", ["none", "warmup", "layer_norm"])
@pytest.mark.parametrize("lr", [1e-6, 1e-7])
def test_a_slow_learner_is_not_frozen(mitigation, lr):
    slow = {"optimizer_settings": {"lr": lr}, "dtype": "float64"}
    record = run(spec(mitigation=mitigation, steps=60, window=10, **slow))
    assert record.outcome is Outcome.COMPLETED
    assert record.scores["final_validation_loss"] < record.scores["initial_validation_loss"]


def test_neither_is_one_of_single_precision_whose_changes_add_up():
    record = run(spec(steps=200, window=10, optimizer_settings={"lr": 1e-7}))
    assert record.outcome is Outcome.COMPLETED
    assert record.scores["final_validation_loss"] != record.scores["initial_validation_loss"]


def test_a_solved_run_goes_on_unless_told_to_stop():
    settings = {"hidden_size": 64, "depth": 2}
    easy = {
        "task": "digits",
        "architecture": "mlp",
        "steps": 400,
        "optimizer": "adam",
        "task_settings": {"batch_size": 64, "evaluation_size": 300},
        "architecture_settings": settings,
    }
    on, stopped = run(spec(**easy)), run(spec(**easy, stop_on_solved=True))
    assert on.outcome is Outcome.COMPLETED
    assert on.steps_done == 400
    assert stopped.outcome is Outcome.COMPLETED
    assert stopped.solved_step == on.solved_step
    assert stopped.steps_done < 400
    rows = len(stopped.curves["step"])
    for column in on.curves:
        np.testing.assert_array_equal(on.curves[column][:rows], stopped.curves[column])
