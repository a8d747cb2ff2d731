from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from bench.planning.seeds import Purpose, purpose_of
from bench.records import BadInput, Outcome, RunRecord
from bench.reporting.paper.families.limits import RATES
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.macros import all_macros, macros_file
from bench.reporting.paper.names import slug
from bench.stats.power import mcnemar_power
from tests.reporting.made_up import record
from tests.reporting.paper import made_up_paper as made_up

RUNS = made_up.runs()
BY_ID = {run.spec.run_id: run for run in RUNS}


@pytest.fixture(scope="module")
def macros() -> dict[str, Macro]:
    return all_macros([made_up.made(RUNS)])


def evaluated(**labels: object) -> list[RunRecord]:
    """The runs on evaluation seeds of a length or method."""
    found = [run for run in RUNS if purpose_of(run.spec.seed) is Purpose.EVALUATION]
    if "length" in labels:
        found = [run for run in found if run.spec.task.settings["length"] == labels["length"]]
    if "method" in labels:
        found = [run for run in found if run.spec.mitigation_name == labels["method"]]
    return found


def test_every_run_is_counted_under_its_purpose(macros: dict[str, Macro]) -> None:
    for purpose in Purpose:
        behind = [run.spec.run_id for run in RUNS if purpose_of(run.spec.seed) is purpose]
        assert macros[f"runs.{purpose}"].text == str(len(behind))
        assert set(macros[f"runs.{purpose}"].run_ids) == set(behind)
    assert macros["runs.all"].text == str(len(RUNS))
    assert macros["steps.all"].text == f"{sum(run.steps_done for run in RUNS):,}"
    hours = sum(run.cpu_seconds for run in RUNS) / 3600
    assert macros["cpu_hours"].text == f"{hours:.1f}"


def test_the_design_is_told(macros: dict[str, Macro]) -> None:
    expected = {
        "cells": "6",
        "blocks": "2",
        "seeds.evaluation": "8",
        "methods": "2",
        "methods.names": "`clip_norm` and `orthogonal+clip_norm`",
        "tasks": "1",
        "panels": "2",
        "trials.per_method": "2",
        "trials.seeds": "2",
        "sweep.rates": "5",
        "sweep.seeds": "2",
        "settings.temporal_order-30.length": "30",
        "settings.architecture.hidden_size": "64",
        "settings.momentum.lr": "0.01",
        "settings.window": "20",
        "commit": "0123456789ab",
        "processor": "Some_Processor 50%",
        "date.last": "2026-01-02",
    }
    assert {name: macros[name].text for name in expected} == expected
    assert "settings.temporal_order.length" not in macros  # it differs


def test_what_a_cell_says_is_a_count_of_its_runs(macros: dict[str, Macro]) -> None:
    for length in made_up.LENGTHS:
        for method in made_up.METHODS:
            runs = evaluated(length=length, method=method)
            name = f"cell.temporal_order-{length}.rnn_tanh.{method}"
            solved = sum(run.solved_step is not None for run in runs)
            diverged = sum(run.outcome is Outcome.DIVERGED for run in runs)
            assert macros[f"{name}.solved"].text == f"{solved}/8"
            assert macros[f"{name}.diverged"].text == f"{diverged}/8"
            assert macros[f"{name}.lr"].text == "0.01"
            assert set(macros[f"{name}.solved"].run_ids) == {run.spec.run_id for run in runs}


def test_a_pooled_difference_is_the_mean_over_blocks(macros: dict[str, Macro]) -> None:
    for method in made_up.METHODS[1:]:
        rates = [
            [
                np.mean([run.solved_step is not None for run in evaluated(length=n, method=name)])
                for name in (method, "none")
            ]
            for n in made_up.LENGTHS
        ]
        expected = 100 * np.mean([ours - none for ours, none in rates])
        name = f"pooled.{method}.solved"
        assert float(macros[f"{name}.difference"].text) == pytest.approx(expected, abs=0.5)
        assert macros[f"{name}.difference.size"].text == f"{abs(round(expected))}"
        assert macros[f"{name}.direction"].text == "more"
        behind = {r.spec.run_id for each in (method, "none") for r in evaluated(method=each)}
        assert set(macros[f"{name}.difference"].run_ids) == behind
        assert macros[f"pooled.{method}.pairs"].text == "16"
        assert macros[f"pooled.{method}.blocks"].text == "2"


def test_a_method_is_found_where_its_adjusted_p_says_so(macros: dict[str, Macro]) -> None:
    for outcome, sides in (("solved", ("more", "fewer")), ("metric", ("better", "worse"))):
        listed: list[str] = []
        for side in (*sides, "undecided"):
            names = re.findall("`([^`]*)`", macros[f"found.{outcome}.{side}.names"].text)
            assert macros[f"found.{outcome}.{side}"].text == str(len(names))
            for name in names:
                assert macros[f"pooled.{name}.{outcome}.finding"].text == side
                p = macros[f"pooled.{name}.{outcome}.p_adjusted"].text
                assert (float(p.strip("<")) <= 0.05) == (side != "undecided")
            listed += names
        assert sorted(listed) == sorted(made_up.METHODS[1:])
    assert macros["found.solved.more.names"].text == "`orthogonal+clip_norm`"


def test_the_best_of_a_block_solved_most(macros: dict[str, Macro]) -> None:
    for length in made_up.LENGTHS:
        solved = {
            method: sum(r.solved_step is not None for r in evaluated(length=length, method=method))
            for method in made_up.METHODS
        }
        best = max(solved, key=lambda method: solved[method])
        name = f"best.temporal_order-{length}.rnn_tanh"
        assert macros[f"{name}.methods.names"].text == f"`{best}`"
        assert macros[f"{name}.solved"].text == f"{solved[best]}/8"


def test_where_nothing_solved_no_method_is_best() -> None:
    runs = [replace(run, solved_step=None) for run in RUNS]
    macros = all_macros([made_up.made(runs)])
    assert macros["best.temporal_order-15.rnn_tanh.methods.names"].text == "no method"
    assert macros["best.temporal_order-15.rnn_tanh.solved"].text == "0/8"


def test_the_window_is_the_widest_stretch_of_good_rates(macros: dict[str, Macro]) -> None:
    name = "window.temporal_order-15.rnn_tanh.clip_norm"
    assert macros[f"{name}.decades"].text == "3.0"  # of five rates the highest diverged
    assert macros[f"{name}.at_least"].text == "at least 3.0"  # the lowest was good
    assert (macros[f"{name}.low"].text, macros[f"{name}.high"].text) == ("0.0001", "0.1")
    lost = all_macros([made_up.made([replace(run, outcome=Outcome.DIVERGED) for run in RUNS])])
    assert lost[f"{name}.decades"].text == lost[f"{name}.low"].text == "no rate"


def test_the_cost_is_a_ratio_to_the_untreated_cell(macros: dict[str, Macro]) -> None:
    """Made up: 2, 3 and 4 seconds for the same number of updates."""
    assert macros["cost.rnn_tanh.clip_norm.ratio"].text == "1.50"
    assert macros["cost.orthogonal+clip_norm.ratio"].text == "2.00"
    assert macros["cost.clip_norm.range"].text == "1.50 to 1.50"


def test_power_is_that_of_the_seeds_that_ran(macros: dict[str, Macro]) -> None:
    for first, second in RATES:
        expected = mcnemar_power(first, second, made_up.SEEDS)
        assert macros[f"power.8.{first}.{second}"].text == f"{expected:.2f}"
    assert macros["power.here"].text == macros["power.8.0.5.0.1"].text
    assert macros["limits.8.smallest_p"].text == f"{2 * 0.5**8:.2g}"


@pytest.mark.parametrize(
    "name",
    [
        "pooled.clip_norm.solved.difference",
        "pooled.clip_norm.solved.p",
        "pooled.clip_norm.metric.probability",
        "pooled.orthogonal+clip_norm.diverged.difference.interval",
        "cost.rnn_tanh.clip_norm.ratio",
        "method.clip_norm.solved",
        "found.solved.more.names",
        "best.temporal_order-15.rnn_tanh.solved",
        "runs.tuning",
        "untreated.blocks.diverged",
    ],
)
def test_the_runs_behind_a_number_are_enough_for_it(macros: dict[str, Macro], name: str) -> None:
    behind = [BY_ID[run_id] for run_id in macros[name].run_ids]
    kept = all_macros([made_up.made(behind)])
    if name.startswith("best"):  # of one block, whose length now needs no telling
        name = "best.temporal_order.rnn_tanh.solved"
        assert kept[name].text == macros["best.temporal_order-15.rnn_tanh.solved"].text
    else:
        assert kept[name].text == macros[name].text


def test_a_run_that_is_changed_is_behind_every_number_that_changes(
    macros: dict[str, Macro],
) -> None:
    victim = evaluated(length=30, method="clip_norm")[3]
    other = replace(victim, outcome=Outcome.DIVERGED, solved_step=None, steps_done=5)
    changed = all_macros([made_up.made([other if run is victim else run for run in RUNS])])
    differing = [name for name, macro in macros.items() if changed[name].text != macro.text]
    assert len(differing) > 10
    family = ("p_adjusted", "p_adjusted_relation", "finding")  # of the others' p as well
    for name in differing:
        if not name.endswith(family):
            assert victim.spec.run_id in changed[name].run_ids, name


def test_order_changes_nothing(macros: dict[str, Macro]) -> None:
    assert all_macros([made_up.made(RUNS, order=7)]) == macros
    assert list(all_macros([made_up.made(RUNS, order=7)])) == list(macros)


def test_other_sources_stand_apart(macros: dict[str, Macro]) -> None:
    other = made_up.made(made_up.runs(lengths=[15], num_seeds=6), "thresholds")
    both = all_macros([made_up.made(RUNS), other])
    assert {name: both[name] for name in macros} == macros
    assert both["thresholds.seeds.evaluation"].text == "6"
    assert {name.partition(".")[0] for name in both.keys() - macros.keys()} == {"thresholds"}


def test_failures_are_counted_as_such_alone(macros: dict[str, Macro]) -> None:
    failed = replace(RUNS[0], spec=replace(RUNS[0].spec, seed=99), outcome=Outcome.FAILED)
    found = all_macros([made_up.made([*RUNS, failed])])
    assert found["runs.failed"].text == "1"
    assert found["runs.failed"].run_ids == (failed.spec.run_id,)
    differing = {name for name in macros if found[name].text != macros[name].text}
    assert differing == {"runs.failed", "runs.not_counted"}


def test_missing_pairs_are_told() -> None:
    lost = {run.spec.run_id for run in evaluated(length=15, method="clip_norm")[:3]}
    found = all_macros([made_up.made([run for run in RUNS if run.spec.run_id not in lost])])
    assert found["pooled.clip_norm.pairs"].text == "13"
    assert found["pooled.clip_norm.dropped"].text == "3"
    assert found["seeds.evaluation"].text == "5 to 8"


def test_without_an_untreated_cell_nothing_is_compared() -> None:
    runs = [run for run in RUNS if run.spec.mitigation_name != "none"]
    found = all_macros([made_up.made(runs)])
    assert not any(name.startswith("pooled.") for name in found)
    assert found["found.family"].text == "0"
    assert found["cell.temporal_order-15.rnn_tanh.clip_norm.cost.ratio"].text == "not estimable"


def test_one_number_has_one_name() -> None:
    runs = [
        record(task="temporal_order", settings={"temporal_order": {"variant": text}})
        for text in ("x y", "x-y")
    ]
    with pytest.raises(BadInput, match="two numbers") as caught:
        all_macros([made_up.made(runs)])
    assert "\n" not in str(caught.value)


def test_the_file_defines_each_number_on_a_line_of_safe_characters(
    macros: dict[str, Macro],
) -> None:
    text = macros_file(macros)
    assert text.isascii()
    lines = [line for line in text.splitlines() if line.startswith(r"\defineresult")]
    names = [re.match(r"\\defineresult\{([A-Za-z0-9_.+=-]+)\}\{", line)[1] for line in lines]  # type: ignore[index]
    assert names == list(macros)
    assert not re.search(r"(?<![\w.])(nan|None|inf)(?![\w.])", text)
    assert r"\defineresult{processor}{Some\_Processor 50\%}" in text


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("adding", "adding"),
        ("adding (length=30)", "adding-30"),
        ("adding (batch_size=8, length=30), sgd (lr=0.1)", "adding-8-30.sgd-0.1"),
        ("orthogonal+clip_norm (threshold=1)", "orthogonal+clip_norm-1"),
        ("dtype=float64", "dtype=float64"),
        ("x (name={%}#\\)", "x--"),
    ],
)
def test_labels_become_names(label: str, expected: str) -> None:
    assert slug(label) == expected
