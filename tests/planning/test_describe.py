"""Plans and choices in words."""

from __future__ import annotations

import pytest

from bench import discovery
from bench.planning import describe, memory, plan
from bench.planning.vocabulary import GROUP_SETTINGS, KNOBS, RUN_SETTINGS


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_plan_in_words():
    planned = plan(
        [
            "task=adding,copy_memory",
            "architecture=rnn_tanh,lstm,mlp",
            "mitigation=none,orthogonal+clip_norm",
            "mitigation.clip_norm.threshold=1,inf",
            "length=20,30",
            "task.adding.length=40",
            "lr=0.5,0.25",
            "seeds=4",
        ]
    )
    text = planned.describe(cores=2)
    assert "Plan default: 36 cells x 4 seeds = 144 runs" in text
    assert "adding (length 40), copy_memory (length 20, 30)" in text
    assert "none, orthogonal+clip_norm; clip_norm (threshold 1.0, inf)" in text
    assert "sgd (lr 0.5, 0.25)" in text
    assert "0 to 3" in text
    assert ["adding", "rnn_tanh", "6", "24"] in [row[:4] for row in rows(text)]
    assert ["copy_memory", "lstm", "12", "48"] in [row[:4] for row in rows(text)]
    for what, reason in planned.left_out:
        assert f"{what}: {reason}" in text
    assert "with 2 workers" in text
    assert "Results: results/default" in text


def test_the_estimate_goes_by_the_workers_that_the_plan_asks_for():
    assert "with 3 workers" in plan(["task=adding", "executor.workers=3"]).describe(cores=8)
    # There is no use in more workers than runs.
    assert "with 1 worker," in plan(["task=adding", "seeds=1"]).describe(cores=8)


def test_the_mirror_is_named_where_there_is_one():
    assert "Mirror" not in plan(["task=adding"]).describe()
    text = plan(["task=adding", "logger=wandb", "logger.mode=offline"]).describe()
    assert "Mirror: wandb, offline" in text


def line_of(text: str, label: str) -> str:
    """The first line that begins with `label`, with single blanks."""
    return next(" ".join(line.split()) for line in text.splitlines() if line.startswith(label))


def test_what_was_typed_is_shown_even_where_it_is_the_default():
    text = plan(["task=adding,copy_memory", "task.adding.length=100", "lr=0.5"]).describe()
    assert line_of(text, "task ") == "task adding (length 100), copy_memory"
    assert line_of(text, "optimizer") == "optimizer sgd (lr 0.5)"
    assert line_of(text, "architecture") == "architecture rnn_tanh"
    # A knob that a member's own key undoes does not reach it.
    text = plan(["task=adding,copy_memory", "task.adding.length=7", "length=400"]).describe()
    assert line_of(text, "task ") == "task adding (length 7), copy_memory (length 400)"


def test_of_an_experiment_what_is_not_the_default_is_shown(conf, experiment):
    experiment(
        "grid: {task: [adding]}\nlength: 400\n"
        "task: {adding: {batch_size: 32, steps: 70}}\noptimizer: {sgd: {lr: 0.01}}\n"
    )
    text = plan(["experiment=trial"], conf).describe()
    assert line_of(text, "task ") == "task adding (length 400; steps 70)"
    assert line_of(text, "optimizer") == "optimizer sgd"


def test_the_settings_of_every_run_are_shown():
    text = plan(["task=adding", "protocol.window=7,9", "executor.timeout=90"]).describe()
    assert "dtype float32; stop_on_solved false; evaluations 25" in text
    assert "window 7, 9" in text
    assert line_of(text, "Time limit") == "Time limit: 90 s a run"


def test_of_many_values_the_first_are_shown():
    text = plan(["task=adding", "lr=range(1,101)"]).describe()
    assert "20.0, ... (100 in all)" in " ".join(text.split())
    assert "21.0" not in text


def test_memory_for_fewer_runs_than_cores_is_told(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 700_000_000)
    text = plan(["task=adding"]).describe(cores=8)
    assert line_of(text, "Memory").startswith("Memory: 2 workers instead of one for each of 8 cor")
    assert "with 2 workers" in line_of(text, "Estimate")
    for others in (["seeds=2"], ["executor.workers=1"]):
        assert "Memory: " not in plan(["task=adding", *others]).describe(cores=8)
    assert "Memory: " not in plan(["task=adding"]).describe(cores=2)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "under a second"),
        (1, "1 s"),
        (119, "119 s"),
        (120, "2 min"),
        (1800, "30 min"),
        (5400, "90 min"),
        (7200, "2.0 h"),
        (10 * 86400, "10 days"),
    ],
)
def test_durations(seconds, words):
    assert describe.duration(seconds) == words


def test_help_lists_every_member_and_every_key():
    text = describe.text()
    words = {word for row in rows(text) for word in row}
    for kind in discovery.KINDS:
        assert {kind, *discovery.members(kind)} <= words
    keys = {word.partition("=")[0] for word in words}
    assert {*KNOBS, *RUN_SETTINGS, "seeds", "results"} <= keys
    assert {f"{group}.{name}" for group, names in GROUP_SETTINGS.items() for name in names} <= keys
    assert {"fixed", "local", "none", "wandb", "smoke"} <= words


def test_the_examples_of_the_help_make_plans():
    for example in describe.EXAMPLES:
        words = [word.strip("'") for word in example.split() if not word.startswith("--")]
        assert plan(words).runs
