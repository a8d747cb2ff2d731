"""The card of one run: its words, its curves, and that its command asks for the very same run."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pytest

from bench.planning import plan
from bench.records import Event, EventKind, LeftOut, MemberSpec, Outcome, RunRecord
from bench.reporting.show import BLOCKS, CHART_ROWS, card, chart, command, outcome_in_words
from tests.specs import exploding, member, spec

INF, NAN = float("inf"), float("nan")


def curves(losses: list[float]) -> dict[str, np.ndarray]:
    steps = np.arange(1.0, len(losses) + 1)
    norms = {"gradient_norm_max": np.ones(len(losses)), "update_to_weight_ratio": 0 * steps}
    return {"step": steps, "training_loss": np.array(losses), **norms}


def drawn(losses: list[float]) -> list[str]:
    """The rows of the chart, without labels, the uppermost first."""
    _, *rows, steps = chart(curves(losses), "training_loss", "loss")
    assert len(rows) == CHART_ROWS
    assert steps.endswith(f"updates 1 to {len(losses)}")
    return [row.partition("│")[2] for row in rows]


def height(column: str) -> int:
    """In eighths of a row."""
    return sum(1 + BLOCKS.index(mark) for mark in column if mark in BLOCKS)


@pytest.mark.parametrize(
    "run",
    [
        spec(),
        spec(seed=7, steps=300, dtype="float64", stop_on_solved=True),
        spec(evaluations=10, solved_checks=2, window=5),
        exploding((member("mitigation", "clip_norm", threshold=INF),)),
        exploding(
            (member("mitigation", "orthogonal", gain=1.7), member("mitigation", "clip_norm"))
        ),
        spec(optimizer="adam", optimizer_settings={"lr": 1e-30, "beta1": 0.123456789}),
        spec("copy_memory", "lstm", "layer_norm+skip_nonfinite", "rmsprop"),
        spec("digits", "mlp", architecture_settings={"depth": 17, "activation": "relu"}),
    ],
)
def test_the_command_asks_for_the_same_run(run):
    # As a plan makes it: the budget is the task's.
    run = replace(run, task=MemberSpec(run.task.name, {**run.task.settings, "steps": run.steps}))
    bench, verb, *overrides = shlex.split(command(run))
    assert (bench, verb) == ("bench", "run")
    assert [found.run_id for found in plan(overrides).runs] == [run.run_id]


@pytest.mark.parametrize("experiment", ["demo", "smoke"])
def test_every_cell_of_an_experiment_has_its_command(experiment):
    for run in plan([f"experiment={experiment}"]).cells[::5]:
        assert plan(shlex.split(command(run))[2:]).runs == [run]


def test_on_a_log_scale_equal_factors_are_equal_heights():
    rows = drawn([1.0, 1e10, 1e20, 1e30])
    heights = [height("".join(column)) for column in zip(*rows, strict=True)]
    assert heights[0] == 1
    assert heights[-1] == 8 * CHART_ROWS
    assert np.ptp(np.diff(heights)) <= 1


def test_what_is_not_finite_is_shown_as_such():
    rows = drawn([1.0, INF, NAN, 0.0])
    assert rows[0][1:3] == "∞n"
    assert rows[-1][3] == "0"
    title = chart(curves([1.0, INF, NAN, 0.0]), "training_loss", "loss")[0]
    assert title == "loss; ∞ = infinite, n = not a number, 0 = zero"
    assert chart(curves([1.0, 2.0]), "training_loss", "loss")[0] == "loss"


def test_a_curve_without_one_finite_point_is_drawn_all_the_same():
    assert drawn([NAN, INF])[0] == "n∞"
    assert chart({}, "training_loss", "loss") == []


@pytest.mark.parametrize(
    ("outcome", "fields", "words"),
    [
        (Outcome.COMPLETED, {"steps_done": 20}, "completed: all 20 updates"),
        (Outcome.COMPLETED, {"steps_done": 8}, "completed at update 8 of 20: stopped once solved"),
        (
            Outcome.DIVERGED,
            {"steps_done": 5, "event_counts": {EventKind.PARAMETER_NAN: 1}},
            "diverged at update 5: a parameter was no longer finite",
        ),
        (
            Outcome.DIVERGED,
            {"steps_done": 19},
            "diverged at update 19: 20 updates in a row with a loss that was not finite or above "
            "16.7",
        ),
        (
            Outcome.DIVERGED,
            {"steps_done": 20, "scores": {"final_validation_loss": NAN}},
            "diverged at update 20: the loss after the last update was not finite",
        ),
        (
            Outcome.FROZEN,
            {"steps_done": 20},
            "frozen at update 20: 20 updates in a row moved the parameters by nothing that counts",
        ),
        (
            Outcome.FROZEN,
            {"steps_done": 1, "event_counts": {EventKind.OPTIMIZER_STATE_NONFINITE: 1}},
            "frozen at update 1: half of the optimiser's state or more was not finite",
        ),
        (Outcome.FAILED, {"error": "Traceback:\n  x\nE: why"}, "failed: E: why"),
        (Outcome.TIMEOUT, {"error": "stopped at 5 s"}, "timeout: stopped at 5 s"),
    ],
)
def test_outcomes_in_words(outcome, fields, words):
    record = RunRecord(
        spec=spec(),
        outcome=outcome,
        curves=curves([1.0]),
        facts={"explosion_bound": 100 / 6},
        **fields,
    )
    assert outcome_in_words(record) == words


def test_a_card_has_it_all():
    run = spec(seed=3)
    event = Event(EventKind.GRADIENT_INF, 4, "recurrent_0", 17)
    scores = {
        f"{when}_{part}{key}": value
        for when, part, value in (
            ("initial", "validation_", 1.5),
            ("final", "validation_", NAN),
            ("test", "", INF),
        )
        for key in ("loss", "metric")
    }
    record = RunRecord(
        spec=run,
        outcome=Outcome.DIVERGED,
        steps_done=5,
        first_event=event,
        event_counts={EventKind.GRADIENT_INF: 2, EventKind.PARAMETER_NAN: 1},
        scores=scores,
        facts={"metric": "mse", "chance_loss": 1 / 6, "chance_metric": 1 / 6},
        curves=curves([1.0, INF]),
    )
    text = card(record, record.digest, "stale", {})
    assert text.startswith(f"run {run.run_id} (stale: ")
    for words in (
        "adding (",
        "seed 3, 20 updates, float32",
        "gradient_inf at update 4, in recurrent_0, time step 17",
        "gradient_inf 2, parameter_nan 1",
        "before training",
        "0.167",
        record.digest,
        command(run),
    ):
        assert words in text
    (scores_line,) = [line for line in text.splitlines() if line.startswith("mse")]
    assert scores_line.split() == ["mse", "1.5", "nan", "inf", "0.167"]


def test_curves_that_were_left_out_are_told_from_curves_that_there_were_not():
    told = "left out of this packed store"
    made = RunRecord(spec=spec(), outcome=Outcome.COMPLETED, steps_done=20, curves=curves([1.0]))
    packed = replace(made, curves=LeftOut(), flow=LeftOut())
    text = card(packed, made.digest, "current", {})
    assert told in text
    assert "training loss" not in text
    assert made.digest in text
    for other in (made, replace(made, curves={})):
        assert told not in card(other, other.digest, "current", {})


def test_a_failed_run_shows_its_traceback():
    record = RunRecord(spec=spec(), outcome=Outcome.FAILED, error="Traceback:\n  line\nE: why")
    text = card(record, record.digest, "failed", {})
    assert "\n  Traceback:\n    line\n  E: why\n" in text
    assert "training loss" not in text


def test_settings_of_a_member_without_a_file_are_all_given():
    run = spec(mitigation=(MemberSpec("from_elsewhere", {"strength": 2.0}),))
    assert "mitigation.from_elsewhere.strength=2" in command(run)
