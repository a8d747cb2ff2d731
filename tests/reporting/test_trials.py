from __future__ import annotations

import csv
import io
from dataclasses import replace

from bench.planning.seeds import FIRST_SEED, Purpose
from bench.records import MemberSpec, Outcome, RunRecord
from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.formats import render
from bench.reporting.summaries import summarise
from bench.reporting.trials import Trials, trials_table
from tests.reporting.made_up import record, stored


def at(rate: float, threshold: float, seed: int, outcome: Outcome = Outcome.COMPLETED) -> RunRecord:
    made = record(outcome)
    spec = replace(
        made.spec,
        seed=seed,
        mitigation=(MemberSpec("clip_norm", {"threshold": threshold}),),
        optimizer=MemberSpec("sgd", {"lr": rate}),
    )
    return replace(made, spec=spec)


def test_trials_are_shown_apart_and_counted_nowhere() -> None:
    tried = [
        at(rate, threshold, FIRST_SEED[Purpose.TUNING] + seed, outcome)
        for rate, outcome in ((0.1, Outcome.COMPLETED), (1.0, Outcome.DIVERGED))
        for threshold in (1.0, 10.0)
        for seed in (0, 1)
    ]
    evaluated = [at(0.1, 10.0, seed) for seed in range(3)]
    other = replace(record(), spec=replace(record().spec, optimizer=MemberSpec("sgd", {"lr": 0.3})))
    trials = Trials()
    collected = collect(trials.watch(stored([*tried, *evaluated, other])))
    cells = group(collected, trials.chosen)
    assert [(cell.mitigation, len(cell.results)) for cell in cells] == [
        ("none", 1),
        ("clip_norm", 3),
    ]
    assert {cell.optimizer for cell in cells} == {"sgd"}  # each method has a rate of its own
    (search,) = trials.searches([summarise(cell) for cell in cells])
    assert (search.num_trials, len(search.trials), search.num_lost) == (4, 8, 4)
    (row,) = csv.DictReader(io.StringIO(render(trials_table([search]), "csv")))
    assert row["chosen"] == "lr=0.1, clip_norm threshold=10"


def test_labels_tell_what_was_chosen_where_two_cells_would_else_be_one() -> None:
    tried = [at(rate, 1.0, FIRST_SEED[Purpose.TUNING]) for rate in (0.1, 1.0)]
    trials = Trials()
    collected = collect(trials.watch(stored([*tried, at(0.1, 1.0, 0), at(1.0, 1.0, 0)])))
    assert {cell.optimizer for cell in group(collected, trials.chosen)} == {
        "sgd (lr=0.1)",
        "sgd (lr=1)",
    }
