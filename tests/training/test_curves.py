"""When a run is evaluated, and what its rows hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.records import CURVE_COLUMNS, FLOW_COLUMNS
from bench.training.curves import CurveRecorder, early_steps, probe_steps, regular_steps
from bench.training.run import run
from tests.specs import spec


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_regular_steps_are_even_and_end_at_the_budget(steps, evaluations):
    found = regular_steps(steps, evaluations)
    assert len(found) == min(steps, evaluations)
    assert found[-1] == steps
    gaps = np.diff([0, *found])
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_early_and_probe_steps():
    assert early_steps(60) == [1, 2, 5, 10, 20, 50]
    assert early_steps(1) == []
    assert probe_steps(1000) == [1, 10, 100, 1000]
    assert probe_steps(9) == [1]


def test_a_row_gathers_the_updates_since_the_row_before_and_nan_is_never_lost():
    recorder = CurveRecorder()
    rest = {"learning_rate": 0.1, "update_to_weight_ratio": 0.0}
    scores = {"validation_loss": 1.0, "validation_metric": 1.0}
    for loss, norm, clipped in ((1.0, 5.0, True), (3.0, 2.0, False)):
        recorder.update(
            loss=loss, gradient_norm=norm, transformed_norm=1.0, clipped=clipped, skipped=False
        )
    recorder.row(step=2, **rest, **scores)
    for loss in (np.nan, 3.0):
        recorder.update(
            loss=loss, gradient_norm=loss, transformed_norm=1.0, clipped=False, skipped=True
        )
    recorder.row(step=4, **rest, **scores)
    curves = recorder.curves
    assert tuple(curves) == CURVE_COLUMNS
    assert curves["training_loss"][0] == 2.0
    assert curves["gradient_norm"][0] == 2.0
    assert curves["gradient_norm_max"][0] == 5.0
    assert curves["clip_fraction"].tolist() == [0.5, 0.0]
    assert curves["skip_fraction"].tolist() == [0.0, 1.0]
    assert np.isnan(curves["training_loss_max"][1])
    assert np.isnan(curves["gradient_norm_max"][1])


def test_a_run_has_a_row_for_each_evaluation_and_a_probe_of_every_time_step():
    record = run(spec(steps=30, evaluations=3))
    assert record.curves["step"].tolist() == [1, 2, 5, 10, 20, 30]
    assert tuple(record.flow) == FLOW_COLUMNS
    assert record.flow["step"].tolist() == [1] * 20 + [10] * 20
    assert record.flow["position"].tolist() == 2 * list(range(20))
    assert (record.flow["gradient_norm"] > 0).all()


def test_a_deep_network_is_probed_by_layer():
    record = run(spec("digits", "mlp", steps=1))
    assert record.flow["position"].tolist() == [0, 1, 2, 3]


def test_both_paths_through_a_sequence_give_the_same_flow(monkeypatch):
    from torch import nn

    from bench.mitigations.none import NoMitigation

    whole = run(spec(steps=1, dtype="float64"))
    monkeypatch.setattr(
        NoMitigation,
        "prepare",
        lambda self, network, seed, inputs: network.insert("state", lambda _: nn.Identity()),
    )
    stepwise = run(spec(steps=1, dtype="float64"))
    np.testing.assert_allclose(
        stepwise.flow["gradient_norm"], whole.flow["gradient_norm"], rtol=1e-12
    )
