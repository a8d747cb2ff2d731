"""Every record that there could be, for property tests of the store."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from bench.records import (
    CURVE_COLUMNS,
    FLOW_COLUMNS,
    Event,
    EventKind,
    MemberSpec,
    Outcome,
    RunRecord,
    RunSpec,
)

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
ANY_NUMBER = st.floats(allow_nan=False).map(lambda value: value + 0.0)
"""Without -0.0, which is 0.0 in a specification and a fact."""
NAME = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
COUNT = st.integers(0, 2**40)


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    # A text that reads like an infinity is one for a specification (records.py).
    text = TEXT.filter(lambda value: value not in ("inf", "-inf"))
    value = st.booleans() | st.integers() | ANY_NUMBER | text
    return draw(st.dictionaries(NAME, value, max_size=4))


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    member = st.builds(MemberSpec, NAME, settings())
    mitigation = st.lists(member, min_size=1, max_size=3, unique_by=lambda one: one.name)
    task = draw(member)
    return RunSpec(
        task=MemberSpec(task.name, {**task.settings, "steps": draw(COUNT)}),
        architecture=draw(member),
        mitigation=tuple(draw(mitigation)),
        optimizer=draw(member),
        seed=draw(COUNT),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        stop_on_solved=draw(st.booleans()),
    )


@st.composite
def tables(draw: st.DrawFn, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    rows = draw(st.integers(0, 5))
    column = st.lists(ANY_FLOAT, min_size=rows, max_size=rows).map(np.array)
    return draw(st.just({}) | st.fixed_dictionaries(dict.fromkeys(columns, column)))


@st.composite
def records(draw: st.DrawFn) -> RunRecord:
    event = st.builds(Event, st.sampled_from(EventKind), COUNT, TEXT, st.none() | COUNT)
    # NaN among the facts has no digest (records.py), infinity has.
    fact = st.booleans() | st.integers() | ANY_NUMBER | TEXT
    nonfinite_text = st.sampled_from(["nan", "inf", "-inf"])
    return RunRecord(
        spec=draw(specs()),
        outcome=draw(st.sampled_from(Outcome)),
        steps_done=draw(COUNT),
        solved_step=draw(st.none() | COUNT),
        first_event=draw(st.none() | event),
        event_counts=draw(st.dictionaries(st.sampled_from([*EventKind]).map(str), COUNT)),
        scores=draw(st.dictionaries(NAME, ANY_FLOAT, max_size=5)),
        facts=draw(st.dictionaries(NAME, fact | nonfinite_text, max_size=5)),
        curves=draw(tables(CURVE_COLUMNS)),
        flow=draw(tables(FLOW_COLUMNS)),
        seconds=draw(st.floats(0, 1e6)),
        cpu_seconds=draw(st.floats(0, 1e6)),
        peak_memory=draw(COUNT),
    )
