"""The protocol `tuned`: the same number of trials for all, and a rule that chooses among them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bench.planning import plan
from bench.planning.seeds import Purpose, purpose_of, seeds_for
from bench.planning.tuning import choose, learning_rates, search
from bench.records import BadInput, Outcome, RunRecord, RunSpec

GRID = ["task=adding", "architecture=rnn_tanh", "protocol=tuned", "steps=100"]
SEEDS = seeds_for(Purpose.TUNING, 2)


def test_every_method_gets_as_many_trials_and_its_settings_share_them() -> None:
    planned = plan([*GRID, "mitigation=none,clip_norm,zclip,l2+zclip", "protocol.trials=16"])
    assert planned.tuning is not None
    for found in planned.tuning.searches:
        assert len(set(map(repr, found.trials))) == 16
        rates = {trial.optimizer.settings["lr"] for trial in found.trials}
        settings = {repr(trial.mitigation) for trial in found.trials}
        assert len(rates) * len(settings) == 16
        assert (
            len(settings)
            == {"none": 1, "clip_norm": 4, "zclip": 2, "l2+zclip": 8}[found.cell.mitigation_name]
        )
    assert len(planned.runs) == 4 * 16 * 2
    assert {run.seed for run in planned.runs} == set(SEEDS)
    assert planned.runs_per_cell == 16 * 2 + 5 + 9 * 5


def test_learning_rates_span_the_optimisers_range_evenly_in_the_logarithm() -> None:
    rates = learning_rates("sgd", 5)
    assert rates == [0.0001, 0.001, 0.01, 0.1, 1.0]
    assert learning_rates("sgd", 1) == [0.01]
    assert learning_rates("adam", 2) == [1e-5, 0.1]


def test_a_setting_that_is_given_is_not_tried() -> None:
    planned = plan([*GRID, "mitigation=clip_norm", "mitigation.clip_norm.threshold=0.5"])
    assert planned.tuning is not None
    (found,) = planned.tuning.searches
    assert {trial.mitigation[0].settings["threshold"] for trial in found.trials} == {0.5}
    assert len({trial.optimizer.settings["lr"] for trial in found.trials}) == 16


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lr=0.1", "chooses the learning rate by trials; leave it out"),
        ("optimizer.sgd.lr=0.1,0.2", "chooses the learning rate by trials; leave it out"),
        ("protocol.trials=6", "4 combinations of settings to try do not divide protocol.trials=6"),
        ("seeds=[3,1000000]", "seeds from 1,000,000 on are those of tuning"),
    ],
)
def test_what_tuning_cannot_do_is_refused(override: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan([*GRID, "mitigation=clip_norm", override])


def test_the_fixed_protocol_tunes_nothing() -> None:
    planned = plan(["task=adding", "mitigation=clip_norm", "lr=0.1"])
    assert planned.tuning is None
    assert len(planned.runs) == planned.runs_per_cell == 5


def records(found: list[RunSpec], **values: dict[float, object]) -> dict[str, RunRecord]:
    """Every trial on every tuning seed; `values`: field -> learning rate -> value, else usual."""
    made = {}
    for trial, seed in product(found, SEEDS):
        spec, rate = replace(trial, seed=seed), float(trial.optimizer.settings["lr"])
        made[spec.run_id] = RunRecord(
            spec=spec,
            outcome=values.get("outcome", {}).get(rate, Outcome.COMPLETED),  # type: ignore[arg-type]
            solved_step=values.get("solved", {}).get(rate),  # type: ignore[arg-type]
            scores={"final_validation_metric": values.get("metric", {}).get(rate, 0.1)},  # type: ignore[dict-item]
            facts={"higher_is_better": bool(values.get("higher", {}).get(0.0, False))},
        )
    return made


LOW, MIDDLE, HIGH = 0.0001, 0.01, 1.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, LOW),  # all alike: the smallest learning rate
        ({"metric": {MIDDLE: 0.05}}, MIDDLE),
        ({"metric": {MIDDLE: 0.05}, "higher": {0.0: True}}, LOW),
        ({"metric": {LOW: float("nan"), MIDDLE: float("inf")}}, HIGH),
        ({"metric": {MIDDLE: 0.05}, "solved": {HIGH: 90}}, HIGH),
        ({"solved": {HIGH: 90, MIDDLE: 80, LOW: 85}}, MIDDLE),
        ({"solved": {HIGH: 9}, "outcome": {HIGH: Outcome.DIVERGED}}, LOW),
        ({"outcome": {LOW: Outcome.FROZEN, MIDDLE: Outcome.DIVERGED}}, HIGH),
        ({"outcome": dict.fromkeys((LOW, MIDDLE, HIGH), Outcome.DIVERGED)}, LOW),
    ],
)
def test_the_rule_that_chooses(values: dict[str, dict[float, object]], expected: float) -> None:
    cell = plan([*GRID, "mitigation=none", "seeds=1"]).cells[0]
    found = search(cell, 3)
    made = records(list(found.trials), **values)
    chosen = choose(found, made, SEEDS)
    assert chosen.optimizer.settings["lr"] == expected
    assert chosen.seed == cell.seed
    assert replace(chosen, optimizer=cell.optimizer) == cell


def test_the_evaluation_runs_the_chosen_on_seeds_that_no_trial_has_seen() -> None:
    planned = plan([*GRID, "mitigation=none,clip_norm", "seeds=3", "protocol.trials=4"])
    assert planned.tuning is not None
    trials = [trial for found in planned.tuning.searches for trial in found.trials]
    evaluation = planned.after_tuning(records(trials))
    assert evaluation.tuning is None
    evaluated = [run for run in evaluation.runs if purpose_of(run.seed) is Purpose.EVALUATION]
    assert len(evaluated) == 2 * 3
    assert {run.seed for run in evaluated} == {0, 1, 2}


def test_the_sweep_has_the_same_rates_for_all_at_the_settings_chosen_and_seeds_of_its_own() -> None:
    sizes = ["protocol.trials=4", "protocol.sweep_rates=3", "protocol.sweep_seeds=2", "seeds=3"]
    planned = plan([*GRID, "mitigation=none,clip_norm", *sizes])
    assert planned.tuning is not None
    trials = [trial for found in planned.tuning.searches for trial in found.trials]
    after = planned.after_tuning(records(trials))
    swept = [run for run in after.runs if purpose_of(run.seed) is Purpose.SWEEP]
    assert len(planned.runs) + len(after.runs) == len(planned.cells) * planned.runs_per_cell
    assert {run.seed for run in swept} == set(seeds_for(Purpose.SWEEP, 2))
    for cell in after.cells:
        ours = [run for run in swept if run.mitigation == cell.mitigation]
        rates = learning_rates("sgd", 3)
        assert sorted(run.optimizer.settings["lr"] for run in ours) == sorted(2 * rates)
        assert all(replace(r, optimizer=cell.optimizer, seed=cell.seed) == cell for r in ours)


def test_without_rates_there_is_no_sweep() -> None:
    planned = plan([*GRID, "mitigation=none", "protocol.sweep_rates=null", "protocol.trials=4"])
    assert planned.tuning is not None
    trials = [trial for found in planned.tuning.searches for trial in found.trials]
    assert len(planned.after_tuning(records(trials)).runs) == len(planned.seeds)


def test_the_lists_of_seeds_do_not_meet() -> None:
    for purpose in Purpose:
        assert {purpose_of(seed) for seed in seeds_for(purpose, 1000)} == {purpose}
