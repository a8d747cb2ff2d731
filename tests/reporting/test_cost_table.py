from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from bench.records import MemberSpec, RunRecord
from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.cost_table import costs_table
from bench.reporting.formats import render
from bench.reporting.summaries import summarise
from tests.reporting.made_up import record, stored


def costing(seconds: float, architecture: str, mitigation: str, seed: int) -> RunRecord:
    made = record()
    spec = replace(
        made.spec,
        seed=seed,
        architecture=MemberSpec(architecture, {"hidden_size": 8}),
        mitigation=(MemberSpec(mitigation, {}),),
    )
    return replace(made, spec=spec, cpu_seconds=seconds, steps_done=100, peak_memory=2 * 10**8)


def rows(runs: list[RunRecord]) -> dict[tuple[str, str], dict[str, str]]:
    table = costs_table([summarise(cell) for cell in group(collect(stored(runs)))])
    read = csv.DictReader(io.StringIO(render(table, "csv")))
    return {(row["architecture"], row["mitigation"]): row for row in read}


def test_costs_are_multiples_of_the_control_and_of_the_plain_architecture() -> None:
    seconds = {
        ("rnn_tanh", "none"): 1.0,
        ("rnn_tanh", "clip"): 1.5,
        ("lstm", "none"): 4.0,
        ("lstm", "clip"): 5.0,
    }
    runs = [
        costing(each * factor, *names, seed)
        for names, each in seconds.items()
        for seed, factor in enumerate((1.0, 1.0, 7.0))  # once the machine was busy
    ]
    found = rows(runs)
    assert float(found["rnn_tanh", "clip"]["cpu_ms_per_update"]) == pytest.approx(15)
    assert float(found["rnn_tanh", "clip"]["times_none"]) == pytest.approx(1.5)
    assert float(found["lstm", "clip"]["times_none"]) == pytest.approx(1.25)
    assert float(found["lstm", "clip"]["times_plain"]) == pytest.approx(5 / 1.5)
    assert float(found["rnn_tanh", "none"]["times_none"]) == 1
    assert float(found["lstm", "none"]["peak_bytes"]) == 2e8


def test_what_has_nothing_to_be_compared_with_has_no_multiple() -> None:
    found = rows([costing(1.0, "lstm", "clip", 0)])["lstm", "clip"]
    assert (found["times_none"], found["times_plain"]) == ("", "")
    assert float(found["cpu_ms_per_update"]) == pytest.approx(10)
