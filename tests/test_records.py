"""Identity of specifications and records: what changes an id or a digest, and what must not."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.records import Event, EventKind, MemberSpec, Outcome, RunRecord, RunSpec

SPEC = RunSpec(
    task=MemberSpec("adding", {"length": 100, "steps": 100}),
    architecture=MemberSpec("rnn_tanh", {"gain": 1.5, "kind": "orthogonal"}),
    mitigation=(
        MemberSpec("orthogonal", {"gain": 1.0}),
        MemberSpec("clip_norm", {"threshold": 1.0}),
    ),
    optimizer=MemberSpec("sgd", {"lr": 0.1}),
    seed=3,
)
RECORD = RunRecord(
    spec=SPEC,
    outcome=Outcome.COMPLETED,
    steps_done=100,
    solved_step=40,
    first_event=Event(EventKind.GRADIENT_INF, 7, "recurrent_0"),
    event_counts={"gradient_inf": 2},
    scores={"test_loss": 0.1, "final_validation_loss": math.inf},
    facts={"metric": "mse", "chance_loss": 1 / 6},
    curves={"step": np.array([1.0, 2.0]), "training_loss": np.array([0.5, np.nan])},
    flow={"step": np.array([1.0]), "gradient_norm": np.array([2.0])},
)

repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=100)
numbers = st.floats(allow_nan=False) | st.integers(-(2**60), 2**60) | st.booleans()
texts = st.text(max_size=8).filter(lambda text: text not in ("inf", "-inf"))
member_specs = st.builds(
    MemberSpec, st.text(max_size=8), st.dictionaries(st.text(max_size=5), numbers | texts)
)


def with_setting(name: str, value: Any) -> RunSpec:
    return replace(SPEC, optimizer=MemberSpec("sgd", {**SPEC.optimizer.settings, name: value}))


@repeatable
@given(member_specs, st.lists(member_specs, min_size=1, max_size=3), st.integers(0, 2**31))
def test_a_specification_survives_json(
    member: MemberSpec, mitigation: list[MemberSpec], seed: int
) -> None:
    spec = replace(SPEC, task=member, mitigation=tuple(mitigation), seed=seed)
    again = RunSpec.from_json(spec.to_json())
    assert again == spec
    assert again.run_id == spec.run_id
    json.loads(spec.to_json(), parse_constant=pytest.fail)  # strict JSON: no NaN, no Infinity


def test_the_id_is_the_same_on_every_machine() -> None:
    """A literal: an id that drifts orphans every stored result."""
    assert SPEC.run_id == "3414fd31bb2b4a18"
    script = (
        f"from bench.records import RunSpec; print(RunSpec.from_json({SPEC.to_json()!r}).run_id)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == SPEC.run_id


def test_the_order_of_settings_and_the_sign_of_zero_do_not_count() -> None:
    swapped = dict(reversed(SPEC.task.settings.items()))
    assert replace(SPEC, task=MemberSpec("adding", swapped)).run_id == SPEC.run_id
    assert with_setting("lr", -0.0).run_id == with_setting("lr", 0.0).run_id


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, seed=4),
        replace(SPEC, task=MemberSpec("adding", {"length": 100, "steps": 101})),
        replace(SPEC, dtype="float64"),
        replace(SPEC, evaluations=26),
        replace(SPEC, window=21),
        replace(SPEC, solved_checks=4),
        replace(SPEC, stop_on_solved=True),
        replace(SPEC, mitigation=SPEC.mitigation[::-1]),
        replace(SPEC, mitigation=SPEC.mitigation[:1]),
        with_setting("lr", 0.1 + 2**-56),
        with_setting("lr", math.inf),
        with_setting("momentum", 0.0),
    ],
)
def test_all_that_decides_the_numbers_is_in_the_id(other: RunSpec) -> None:
    assert other.run_id != SPEC.run_id


def test_a_cell_is_a_run_without_its_seed() -> None:
    assert replace(SPEC, seed=4).cell_id == SPEC.cell_id
    assert replace(SPEC, seed=0).run_id != SPEC.cell_id
    assert replace(SPEC, dtype="float64").cell_id != SPEC.cell_id


def test_nan_in_a_specification_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        _ = with_setting("lr", math.nan).run_id


def test_members_name_every_file_that_was_used() -> None:
    assert [(kind, member.name) for kind, member in SPEC.members] == [
        ("task", "adding"),
        ("architecture", "rnn_tanh"),
        ("mitigation", "orthogonal"),
        ("mitigation", "clip_norm"),
        ("optimizer", "sgd"),
    ]
    assert SPEC.mitigation_name == "orthogonal+clip_norm"


def test_only_three_outcomes_are_results() -> None:
    assert [outcome for outcome in Outcome if outcome.is_result] == [
        Outcome.DIVERGED,
        Outcome.FROZEN,
        Outcome.COMPLETED,
    ]


def shift(column: np.ndarray) -> np.ndarray:
    return np.nextafter(column, np.inf)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, spec=replace(SPEC, seed=4)),
        replace(RECORD, outcome=Outcome.DIVERGED),
        replace(RECORD, steps_done=99),
        replace(RECORD, solved_step=None),
        replace(RECORD, first_event=None),
        replace(RECORD, first_event=Event(EventKind.GRADIENT_INF, 7, "recurrent_0", 3)),
        replace(RECORD, event_counts={"gradient_inf": 3}),
        replace(RECORD, scores={**RECORD.scores, "test_loss": 0.1 + 2**-56}),
        replace(RECORD, scores={**RECORD.scores, "test_loss": math.nan}),
        replace(RECORD, facts={**RECORD.facts, "metric": "accuracy"}),
        replace(RECORD, curves={**RECORD.curves, "step": shift(RECORD.curves["step"])}),
        replace(RECORD, curves={**RECORD.curves, "training_loss": np.array([0.5, np.inf])}),
        replace(RECORD, flow={**RECORD.flow, "gradient_norm": np.array([2.0, 2.0])}),
        replace(RECORD, flow={}),
        replace(RECORD, curves=RECORD.flow, flow=RECORD.curves),
    ],
)
def test_the_digest_sees_all_that_must_repeat(other: RunRecord) -> None:
    assert other.digest != RECORD.digest


def test_a_column_is_not_the_same_in_the_other_table() -> None:
    column = {"gradient_norm": np.array([1.0, 2.0])}
    one, other = replace(RECORD, curves=column, flow={}), replace(RECORD, curves={}, flow=column)
    assert one.digest != other.digest


def test_the_digest_does_not_see_costs_signs_of_zero_and_bits_of_nan() -> None:
    assert replace(RECORD, seconds=9.0, cpu_seconds=9.0, peak_memory=9).digest == RECORD.digest
    other_nan = np.array([0x7FF8000000000001, 0xFFF8000000000002], dtype="<u8").view("<f8")
    zeros = replace(RECORD, curves={"x": np.array([0.0, -0.0, np.nan, np.nan])})
    other = replace(RECORD, curves={"x": np.array([-0.0, 0.0, *other_nan])})
    assert other.digest == zeros.digest
    assert np.isnan(other.curves["x"][2:]).all()
    assert np.signbit(other.curves["x"][0])  # the record itself is left alone


def test_the_digest_does_not_see_the_order_or_the_type_of_columns() -> None:
    columns = dict(reversed(RECORD.curves.items()))
    columns["step"] = columns["step"].astype(np.int64)
    assert replace(RECORD, curves=columns).digest == RECORD.digest
