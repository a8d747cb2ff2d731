"""Every event, planted in a run and named."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from bench.mitigations.none import NoMitigation
from bench.records import Event, EventKind, Outcome
from bench.training.events import share_lost
from bench.training.run import run
from tests.specs import member, spec

NONE, SKIP = member("mitigation", "none"), member("mitigation", "skip_nonfinite")


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
    record = run(spec(mitigation=(NONE, SKIP), steps=10))
    assert record.outcome is Outcome.COMPLETED
    assert record.event_counts == {EventKind.GRADIENT_NAN: 2}
    skipped = record.curves["skip_fraction"][list(record.curves["step"]).index(7)]
    assert skipped > 0
    assert math.isfinite(record.scores["test_loss"])


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


def test_one_frozen_coordinate_is_an_event_but_no_frozen_run(plant_in_gradient):
    plant_in_gradient(1e30, {2})
    record = run(spec(optimizer="adam", steps=30))
    assert record.outcome is Outcome.COMPLETED
    assert record.event_counts[EventKind.OPTIMIZER_STATE_NONFINITE] == 29


def test_a_coordinate_is_lost_with_any_vector_of_the_state():
    one = torch.tensor([1.0, math.inf, math.nan, 1.0, 1.0, 1.0])
    other = torch.tensor([-math.inf, math.inf, 1.0, 1.0, 1.0, 1.0])
    assert share_lost({"square": one}) == 2 / 6
    assert share_lost({"square": one, "average": other}) == 3 / 6


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
        lambda self, network, seed, inputs: network.insert("state", lambda _: Plant()),
    )
    record = run(spec(steps=3))
    assert record.first_event.kind is kind
    assert (record.first_event.step, record.first_event.time_step) == (1, 13)
    assert record.first_event.tensor == "hidden state of layer 0"


def test_before_the_last_update_the_next_one_tells(plant_in_parameters):
    plant_in_parameters("readout_bias", 1e30, at=5)
    record = run(spec(mitigation=(NONE, SKIP), steps=10, evaluations=10))
    assert record.first_event == Event(EventKind.LOSS_INF, 6, "loss")
