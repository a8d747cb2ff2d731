"""The columns of an export and their types: the same whatever the runs in it (docs/export.md).

Settings alone vary: a column for each one of the members that the store has run, and the facts that
a member from elsewhere states beyond those that all do. Their type is that of the setting.
"""

# mypy: disable-error-code="attr-defined, name-defined, no-untyped-call"
# (pyarrow has no types, and hands on the names of its compiled part without saying so)

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import get_type_hints

import pyarrow as pa

from bench.records import CURVE_COLUMNS, FLOW_COLUMNS, EventKind, RunSpec
from bench.results.schema import PROVENANCE_FIELDS

TEXT, INTEGER, NUMBER, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_OF_PYTHON = {str: TEXT, int: INTEGER, float: NUMBER, bool: TRUTH}
_MEMBERS = ("task", "architecture", "mitigation", "optimizer")
_HINTS = get_type_hints(RunSpec)
_PROVENANCE = {
    "git_dirty": TRUTH,
    "cpu_cores": INTEGER,
    "torch_threads": INTEGER,
    "flush_denormal": TRUTH,
    "deterministic_algorithms": TRUTH,
}
"""The fields that are no text."""

RUNS: Mapping[str, pa.DataType] = {
    "run_id": TEXT,
    "cell_id": TEXT,
    **dict.fromkeys(_MEMBERS, TEXT),
    **{
        field.name: _OF_PYTHON[_HINTS[field.name]]
        for field in fields(RunSpec)
        if field.name not in _MEMBERS
    },
    "status": TEXT,
    "outcome": TEXT,
    "solved_step": INTEGER,
    "steps_done": INTEGER,
    "first_event.kind": TEXT,
    "first_event.step": INTEGER,
    "first_event.tensor": TEXT,
    "first_event.time_step": INTEGER,
    **{f"events.{kind}": INTEGER for kind in EventKind},
    "scores.initial_validation_loss": NUMBER,
    "scores.initial_validation_metric": NUMBER,
    "scores.final_validation_loss": NUMBER,
    "scores.final_validation_metric": NUMBER,
    "scores.test_loss": NUMBER,
    "scores.test_metric": NUMBER,
    "facts.metric": TEXT,
    "facts.higher_is_better": TRUTH,
    "facts.chance_loss": NUMBER,
    "facts.chance_metric": NUMBER,
    "facts.explosion_bound": NUMBER,
    "facts.num_parameters": INTEGER,
    "facts.portable": TRUTH,
    "facts.initial_digest": TEXT,
    "facts.data_digest": TEXT,
    "facts.dataset_digest": TEXT,
    "seconds": NUMBER,
    "cpu_seconds": NUMBER,
    "peak_memory": INTEGER,
    "error": TEXT,
    "record_digest": TEXT,
    "semantics_version": INTEGER,
    "stored_at": TEXT,
    **{f"provenance.{name}": _PROVENANCE.get(name, TEXT) for name in PROVENANCE_FIELDS},
}
_POSITIONS = ("step", "position")  # whole numbers, of every row
CURVES: Mapping[str, pa.DataType] = {
    "run_id": TEXT,
    **{name: INTEGER if name in _POSITIONS else NUMBER for name in CURVE_COLUMNS},
}
FLOW: Mapping[str, pa.DataType] = {
    "run_id": TEXT,
    **{name: INTEGER if name in _POSITIONS else NUMBER for name in FLOW_COLUMNS},
}

_IN_PANDAS = {
    TEXT: ("unicode", "object"),
    INTEGER: ("int64", "Int64"),
    NUMBER: ("float64", "float64"),
    TRUTH: ("bool", "boolean"),
}
"""Arrow's type -> what pandas calls it, and the type of the column there. The capital letter is the
type that knows missing numbers: with int64, one of them would make a column of floats."""


def schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    """With what pandas needs to give a column the same type whether or not something is missing."""
    told = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": _IN_PANDAS[kind][0],
            "numpy_type": _IN_PANDAS[kind][1],
            "metadata": None,
        }
        for name, kind in columns.items()
    ]
    pandas = {"index_columns": [], "column_indexes": [], "columns": told}
    return pa.schema(list(columns.items()), {"pandas": json.dumps(pandas)})


def type_of(value: object) -> pa.DataType:
    """Of the value of a setting; null for None."""
    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int):
        return INTEGER if -(2**63) <= value < 2**63 else TEXT
    return NUMBER if isinstance(value, float) else TEXT


def wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds both: whole numbers with others are numbers, all else is text."""
    if one == other or other == pa.null():
        return one
    if one == pa.null():
        return other
    return NUMBER if {one, other} == {INTEGER, NUMBER} else TEXT
