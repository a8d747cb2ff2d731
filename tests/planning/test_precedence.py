"""Which value counts: default < experiment < command line, and a member's own key first."""

from __future__ import annotations

import pytest

from bench.planning import plan
from bench.records import BadInput


def settings(planned, kind: str, setting: str) -> dict[str, list]:
    """Member -> the values of one of its settings, over the plan."""
    found: dict[str, list] = {}
    for spec in planned.cells:
        for member_kind, member in spec.members:
            if member_kind == kind and setting in member.settings:
                values = found.setdefault(member.name, [])
                if member.settings[setting] not in values:
                    values.append(member.settings[setting])
    return found


def test_a_knob_reaches_every_selected_member_that_has_it():
    planned = plan(["task=adding,copy_memory,sequential_digits", "length=77", "hidden_size=8"])
    assert settings(planned, "task", "length") == {"adding": [77], "copy_memory": [77]}
    assert settings(planned, "architecture", "hidden_size") == {"rnn_tanh": [8]}


def test_a_members_own_key_wins_whatever_the_order():
    lines = ["task=adding,copy_memory", "length=77", "task.adding.length=55"]
    for overrides in (lines, lines[::-1]):
        found = settings(plan(overrides), "task", "length")
        assert found == {"adding": [55], "copy_memory": [77]}
    own = plan(["task=adding", "lr=0.5", "optimizer.sgd.lr=0.25"])
    assert settings(own, "optimizer", "lr") == {"sgd": [0.25]}


def test_an_experiments_values_win_over_members_defaults_and_lose_to_the_command_line(
    conf, experiment
):
    experiment(
        "grid: {task: [adding, copy_memory]}\n"
        "task: {adding: {length: 55}}\n"
        "length: 77\nlr: 0.5\nseeds: 3\nprotocol: {window: 9}\n"
    )
    planned = plan(["experiment=trial"], conf)
    assert settings(planned, "task", "length") == {"adding": [55], "copy_memory": [77]}
    assert settings(planned, "optimizer", "lr") == {"sgd": [0.5]}
    assert (planned.seeds, planned.cells[0].window) == ((0, 1, 2), 9)

    planned = plan(["experiment=trial", "length=88", "lr=0.1", "seeds=7,9"], conf)
    assert settings(planned, "task", "length") == {"adding": [55], "copy_memory": [88]}
    assert settings(planned, "optimizer", "lr") == {"sgd": [0.1]}
    assert planned.seeds == (7, 9)

    planned = plan(["experiment=trial", "task.adding.length=66", "length=null"], conf)
    assert settings(planned, "task", "length") == {"adding": [66], "copy_memory": [100]}


def test_a_knob_that_an_experiment_undoes_for_everyone_is_refused(conf, experiment):
    experiment("grid: {task: [adding]}\ntask: {adding: {length: 55, steps: 5}}\n")
    with pytest.raises(BadInput, match=r"experiment trial sets it .* give task\.adding\.length=88"):
        plan(["experiment=trial", "length=88"], conf)
    # With another task beside it the knob has something to do.
    planned = plan(["experiment=trial", "task=adding,copy_memory", "length=88"], conf)
    assert settings(planned, "task", "length") == {"adding": [55], "copy_memory": [88]}


def test_a_selection_on_the_command_line_leaves_no_trace_of_the_experiments(conf, experiment):
    experiment(
        "grid: {task: [adding, digits], architecture: [lstm, mlp], mitigation: [l2]}\n"
        "task: {adding: {length: 55}, digits: {steps: 5}}\n"
        "architecture: {mlp: {depth: 3}}\nmitigation: {l2: {coefficient: 0.5}}\ndepth: 4\n"
    )
    replaced = ["task=copy_memory", "architecture=lstm", "mitigation=none"]
    planned = plan(["experiment=trial", *replaced], conf)
    assert [spec.run_id for spec in planned.runs] == [spec.run_id for spec in plan(replaced).runs]
    assert planned.config["grid"]["task"] == ["copy_memory"]
    assert list(planned.config["task"]) == ["copy_memory"]
    assert list(planned.config["mitigation"]) == ["none"]
    assert planned.config["depth"] is None
    assert planned.left_out == []


def test_an_experiments_list_is_an_axis_too(conf, experiment):
    experiment(
        "grid: {task: [adding], optimizer: [sgd, adam]}\n"
        "lr: [0.1, 0.2]\ntask: {adding: {length: [20, 30, 40]}}\nseeds: [3, 7]\n"
    )
    planned = plan(["experiment=trial"], conf)
    assert len(planned.cells) == 2 * 2 * 3
    assert planned.seeds == (3, 7)


def test_an_experiment_may_build_on_another_and_choose_protocol_and_logger(conf, experiment):
    (conf / "protocol" / "short.yaml").write_text("evaluations: 4\nsolved_checks: 2\nwindow: 3\n")
    experiment("grid: {task: [adding]}\ntask: {adding: {length: 55}}\nlr: 0.5\n", name="base")
    experiment(
        "defaults: [base, override /protocol: short, override /logger: wandb, _self_]\n"
        "grid: {task: [copy_memory]}\nlogger: {mode: offline}\n"
    )
    planned = plan(["experiment=trial"], conf)
    (cell,) = planned.cells
    assert (cell.task.name, cell.optimizer.settings["lr"], cell.evaluations) == (
        "copy_memory",
        0.5,
        4,
    )
    assert (planned.logger.name, planned.logger.mode) == ("wandb", "offline")
    # The logger's settings go with the logger.
    assert plan(["experiment=trial", "logger=none"], conf).logger.mode is None


def test_a_reference_gives_another_keys_value(conf, experiment):
    experiment(
        "grid: {task: [adding]}\nlength: 44\n"
        "task: {adding: {batch_size: '${length}'}}\nresults: results/len_${length}\n"
    )
    planned = plan(["experiment=trial"], conf)
    assert settings(planned, "task", "batch_size") == {"adding": [44]}
    assert str(planned.results) == "results/len_44"
    planned = plan(["task=adding", "steps=${length}", "length=12"])
    assert {spec.steps for spec in planned.runs} == {12}


def test_what_is_no_part_of_a_run():
    planned = plan(["task=adding", "executor.workers=3", "executor.timeout=1", "results=~/x"])
    assert planned.executor.name == "local"
    assert (planned.executor.workers, planned.executor.timeout) == (3, 1.0)
    assert "~" not in str(planned.results)
    assert [spec.run_id for spec in planned.runs] == [
        spec.run_id for spec in plan(["task=adding", "logger=wandb", "logger.mode=online"]).runs
    ]


def test_the_results_go_under_the_experiments_name():
    assert str(plan(["task=adding"]).results) == "results/default"
    assert str(plan(["experiment=smoke"]).results) == "results/smoke"
    assert str(plan(["experiment=smoke", "results=elsewhere"]).results) == "elsewhere"
    assert str(plan(["task=adding", "results=~nobody_of_that_name"]).results).startswith("~")
