"""Every outcome and every event, planted in a run and recognised."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from bench.mitigations.none import NoMitigation
from bench.records import EventKind, Outcome
from bench.tasks.adding import Adding
from bench.training.outcome import OutcomeJudge, SolvedJudge
from bench.training.run import run
from tests.specs import exploding, member, spec


@pytest.fixture
def plant_in_gradient(monkeypatch):
    """plant(value, at): the gradient of the recurrent weights holds `value` at these updates."""

    def plant(value: float, at: set[int]) -> None:
        passes = iter(range(1, 10_000))

        def hook(gradient: torch.Tensor) -> torch.Tensor:
            if next(passes) not in at:
                return gradient
            planted = gradient.clone()
            planted[0, 0] = value
            return planted

        def prepare(self, network, seed):
            network.get_parameter("recurrent_0").register_hook(hook)

        monkeypatch.setattr(NoMitigation, "prepare", prepare)

    return plant


NONE = "none"
ALWAYS = set(range(1, 1000))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(math.nan, EventKind.GRADIENT_NAN), (math.inf, EventKind.GRADIENT_INF)],
)
def test_a_gradient_that_is_not_finite_is_named_and_ends_an_unprotected_run(
    plant_in_gradient, value, kind
):
    plant_in_gradient(value, {3})
    record = run(spec(steps=10))
    assert (record.first_event.kind, record.first_event.step) == (kind, 3)
    assert record.first_event.tensor == "recurrent_0"
    assert record.outcome is Outcome.DIVERGED
    assert record.steps_done == 3
    assert record.event_counts[kind] == 1


def test_an_event_ends_nothing_that_a_mitigation_mends(plant_in_gradient):
    plant_in_gradient(math.nan, {3, 7})
    both = (member("mitigation", "none"), member("mitigation", "skip_nonfinite"))
    record = run(spec(mitigation=both, steps=10))
    assert record.outcome is Outcome.COMPLETED
    assert record.event_counts == {EventKind.GRADIENT_NAN: 2}
    skipped = record.curves["skip_fraction"][list(record.curves["step"]).index(7)]
    assert skipped > 0
    assert math.isfinite(record.scores["test_loss"])


def test_skipping_alone_is_frozen(plant_in_gradient):
    plant_in_gradient(math.nan, ALWAYS)
    both = (member("mitigation", "none"), member("mitigation", "skip_nonfinite"))
    record = run(spec(mitigation=both, steps=60, window=7))
    assert record.outcome is Outcome.FROZEN
    assert record.steps_done == 7
    assert record.scores["final_validation_loss"] == record.scores["initial_validation_loss"]


def test_a_finite_gradient_of_1e20_is_an_overflow_and_is_clipped_not_zeroed(plant_in_gradient):
    plant_in_gradient(1e20, {4})
    both = (member("mitigation", "none"), member("mitigation", "clip_norm", threshold=0.5))
    record = run(spec(mitigation=both, steps=6))
    assert record.first_event.kind is EventKind.GRADIENT_NORM_OVERFLOW
    assert record.first_event.step == 4
    assert record.outcome is Outcome.COMPLETED
    assert record.curves["gradient_norm_max"].max() == pytest.approx(1e20)
    row = list(record.curves["step"]).index(4)
    assert record.curves["transformed_gradient_norm"][row] == pytest.approx(0.5, rel=1e-6)
    assert record.curves["update_to_weight_ratio"][row] > 0


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_an_adaptive_optimiser_is_frozen_by_gradients_of_1e30(monkeypatch, optimizer):
    def prepare(self, network, seed):
        for parameter in network.parameters():
            parameter.register_hook(lambda gradient: torch.full_like(gradient, 1e30))

    monkeypatch.setattr(NoMitigation, "prepare", prepare)
    record = run(spec(optimizer=optimizer, steps=30))
    assert record.outcome is Outcome.FROZEN
    assert record.steps_done == 1
    assert record.event_counts[EventKind.OPTIMIZER_STATE_NONFINITE] == 1
    assert math.isfinite(record.scores["test_loss"])


def test_one_frozen_coordinate_is_an_event_but_no_frozen_run(plant_in_gradient):
    plant_in_gradient(1e30, {2})
    record = run(spec(optimizer="adam", steps=30))
    assert record.outcome is Outcome.COMPLETED
    assert record.event_counts[EventKind.OPTIMIZER_STATE_NONFINITE] == 29


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, EventKind.LOSS_NAN), (math.inf, EventKind.LOSS_INF)]
)
def test_a_loss_that_is_not_finite_for_a_window_is_divergence(monkeypatch, value, kind):
    passes = iter(range(10_000))  # the first is the evaluation before update 1
    plain = Adding.loss
    monkeypatch.setattr(
        Adding,
        "loss",
        lambda self, outputs, targets: (
            plain(self, outputs, targets) * 0 + value
            if torch.is_grad_enabled() and next(passes) >= 4
            else plain(self, outputs, targets)
        ),
    )
    both = (member("mitigation", "skip_nonfinite"),)
    record = run(spec(mitigation=both, steps=60, window=6))
    assert (record.first_event.kind, record.first_event.step) == (kind, 5)
    assert record.outcome is Outcome.DIVERGED
    assert record.steps_done == 10


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, EventKind.ACTIVATION_NAN), (math.inf, EventKind.ACTIVATION_INF)]
)
def test_a_hidden_state_that_is_not_finite_is_named_with_its_time_step(monkeypatch, value, kind):
    class Plant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.time = 0

        def forward(self, state):
            self.time += 1
            return state * 0 + value if (self.time - 1) % 20 == 13 else state

    monkeypatch.setattr(
        NoMitigation,
        "prepare",
        lambda self, network, seed: network.insert("state", lambda _: Plant()),
    )
    record = run(spec(steps=3))
    assert record.first_event.kind is kind
    assert (record.first_event.step, record.first_event.time_step) == (1, 13)
    assert record.first_event.tensor == "hidden state of layer 0"


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, EventKind.PARAMETER_NAN), (-math.inf, EventKind.PARAMETER_INF)]
)
def test_a_parameter_that_is_not_finite_is_divergence_at_once(monkeypatch, value, kind):
    def project(self, network, update, previous):
        if update.step == 4:
            network.get_parameter("bias_0")[2] = value

    monkeypatch.setattr(NoMitigation, "project", project)
    record = run(spec(steps=10))
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


def judge(**changes):
    healthy = {
        "loss": 0.1,
        "gradient_norm": 1.0,
        "learning_rate": 0.1,
        "parameters_are_finite": True,
        "parameters_changed": True,
        "state_vectors": {},
    }
    return healthy | changes


def test_the_explosion_window_must_be_unbroken():
    one = OutcomeJudge(window=3, explosion_bound=10.0)
    losses = [11, 11, 1, 11, math.inf, math.nan]
    outcomes = [one.after_update(**judge(loss=loss)) for loss in losses]
    assert outcomes == [None] * 5 + [Outcome.DIVERGED]


@pytest.mark.parametrize("reason", [{"gradient_norm": 0.0}, {"learning_rate": 0.0}])
def test_standing_still_for_a_reason_is_not_frozen(reason):
    one = OutcomeJudge(window=2, explosion_bound=10.0)
    for _ in range(5):
        assert one.after_update(**judge(parameters_changed=False, **reason)) is None
    for expected in (None, Outcome.FROZEN):
        assert one.after_update(**judge(parameters_changed=False)) is expected


def test_half_of_the_coordinates_lost_is_frozen():
    lost = torch.tensor([1.0, math.inf, math.nan, 1.0, 1.0, 1.0])
    one = OutcomeJudge(window=9, explosion_bound=10.0)
    assert one.after_update(**judge(state_vectors={"square": lost})) is None
    also = torch.tensor([math.inf, math.inf, 1.0, 1.0, 1.0, 1.0])
    outcome = one.after_update(**judge(state_vectors={"square": lost, "average": also}))
    assert outcome is Outcome.FROZEN


def test_solved_is_the_first_of_checks_in_a_row_and_stays():
    one = SolvedJudge(checks=3)
    holds = [True, True, False, True, True, True, False, True]
    for step, held in enumerate(holds, start=1):
        one.after_evaluation(step, held)
        assert one.solved_step == (4 if step >= 6 else None)


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
