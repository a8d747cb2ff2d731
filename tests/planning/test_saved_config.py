"""`bench run ... --cfg job > conf/experiment/mine.yaml`: experiment=mine is the same plan."""

from __future__ import annotations

import pytest

from bench.cli import main
from bench.paths import CONF
from bench.planning import config_files, plan

COMMANDS = {
    "defaults": ["task=adding"],
    "logger": ["task=adding", "logger=wandb", "logger.mode=offline"],
    "logger, whose mode is its own": ["task=adding", "logger=wandb"],
    "executor": ["task=adding", "executor.workers=1", "executor.timeout=7"],
    "what is left out": ["task=adding,digits", "architecture=rnn_tanh,mlp", "depth=3"],
    "an experiment that is overridden": ["experiment=demo", "task=adding", "logger=none"],
    "folders and references": ["task=adding", "results='0123'", "steps=${length}"],
    "everything": [
        "task=adding,sequential_digits",
        "architecture=rnn_tanh,lstm",
        "mitigation=none,orthogonal+clip_norm",
        "mitigation.clip_norm.threshold=1e-5,inf",
        "optimizer=sgd,adam",
        "lr=0.1,3e-7",
        "task.adding.length=20,30",
        "hidden_size=8",
        "seeds=2,5",
        "dtype=float32,float64",
        "protocol.window=11",
        "executor.workers=2",
        "stop_on_solved=true",
    ],
}
EXPERIMENTS = config_files.options(CONF, "experiment")


@pytest.mark.parametrize(
    "overrides",
    [*COMMANDS.values(), *([f"experiment={name}"] for name in EXPERIMENTS)],
    ids=[*COMMANDS, *EXPERIMENTS],
)
def test_a_saved_config_makes_the_same_plan_again(overrides, conf):
    planned = plan(overrides)
    (conf / "experiment" / "mine.yaml").write_text(planned.config_text)
    again = plan(["experiment=mine"], conf)
    assert again.runs == planned.runs
    assert (again.executor, again.logger) == (planned.executor, planned.logger)
    assert again.config == planned.config  # the results' folder and the protocol's name as well
    assert again.left_out == planned.left_out
    assert again.config_text == planned.config_text


def test_a_protocol_of_another_name_is_saved_with_the_config(conf):
    (conf / "protocol" / "short.yaml").write_text("evaluations: 4\nsolved_checks: 2\nwindow: 3\n")
    planned = plan(["task=adding", "protocol=short", "protocol.window=5"], conf)
    (conf / "experiment" / "mine.yaml").write_text(planned.config_text)
    again = plan(["experiment=mine"], conf)
    assert again.runs == planned.runs
    assert again.config["defaults"][0] == {"override /protocol": "short"}


def test_what_the_command_prints_is_such_a_file(conf, capsys):
    assert main(["run", "task=adding", "logger=wandb", "lr=0.5", "--cfg", "job"]) == 0
    (conf / "experiment" / "mine.yaml").write_text(capsys.readouterr().out)
    again = plan(["experiment=mine"], conf)
    assert (again.logger.name, again.cells[0].optimizer.settings["lr"]) == ("wandb", 0.5)
