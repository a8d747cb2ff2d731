"""Files under conf/: what is wrong is told with its file, and nothing but data goes through."""

from __future__ import annotations

import pytest

from bench.planning import plan
from bench.records import BadInput

TRIAL = "conf/experiment/trial.yaml"


def refusal(overrides, conf) -> str:
    with pytest.raises(BadInput) as caught:
        plan(overrides, conf)
    assert str(caught.value).isprintable()  # so it is one line
    assert len(str(caught.value)) < 500
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("lr: [0.1\nseeds: 3\n", f"{TRIAL}, line 3: expected ',' or ']', but got ':'"),
        ("\tlr: 0.1\n", f"{TRIAL}, line 2: found character '\\t'"),
        ("grid:\n  task: [adding]\n seeds: 3\n", f"{TRIAL}, line 4: "),
        ("lr: 0.1\nlr: 0.2\n", f"{TRIAL}, line 3: lr stands there twice"),
        ("- lr\n", f"{TRIAL}, line 2: must hold KEY: VALUE lines"),
        ("lr: \x07\n", f"{TRIAL}: cannot be read as YAML"),
        ("task: {_target_: os.system}\n", f"{TRIAL}, line 2: _target_: keys that begin with _"),
        ("lr: ${oc.env:HOME}\n", f"{TRIAL}, line 2: ${{oc.env:HOME}} is refused"),
        ("lr: ['${oc.env:HOME,0.1}']\n", f"{TRIAL}, line 2: ${{oc.env:HOME,0.1}} is refused"),
        ("lr: ${${dtype}:HOME}\n", "is refused: a config is plain data"),
        ("${oc.env:HOME}: 1\n", "is refused: a config is plain data"),
        ("lr: !!python/object/apply:os.system [ls]\n", f"{TRIAL}, line 2: "),
        ("lr: !number 3\n", f"{TRIAL}, line 2: !number is refused"),
        ("hydra: {searchpath: [file:///]}\n", f"{TRIAL}, line 2: Hydra's own settings"),
        ("defaults: smoke\n", f"{TRIAL}, line 2: defaults must be a list"),
        ("defaults: [override /task: adding]\n", "members are selected under grid"),
        ("defaults: [override /protocol: [fixed]]\n", f"{TRIAL}, line 2: a defaults list holds"),
        ("defaults: ['${oc.env:HOME}']\n", f"{TRIAL}, line 2: ${{oc.env:HOME}} is refused"),
        (
            "defaults: [smok]\n",
            "experiment=smok: there is no such experiment (did you mean smoke?)",
        ),
        ("defaults: [override /logger: wnadb]\n", "logger=wnadb: there is no such logger"),
        ("defaults: [trial]\n", f"{TRIAL}: builds on itself"),
        ("grid: {task: [addin]}\n", "experiment trial: task=addin: there is no such task"),
        ("grid: {task: [3]}\n", "experiment trial: task=[3]: 3 is no name"),
        ("grid: {task: []}\n", "experiment trial: task=[]: nothing is selected"),
        ('grid: {task: ["add\\ning"]}\n', "task=add ing: there is no such task"),
        ("grid: {task: [adding], tasks: [digits]}\n", "grid.tasks: there is no such key"),
        ("grid: {task: [adding]}\nlrr: 0.1\n", "experiment trial: lrr: there is no such key"),
        ("grid: {task: [adding]}\nlr: [[0.1]]\n", "experiment trial: lr=[0.1]: must be a number"),
        ("grid: {task: [adding]}\nlr: {a: 1}\n", "experiment trial: lr.a: there is no such key"),
        ("grid: {task: [adding]}\nlr: 2020-01-01\n", f"{TRIAL}, line 3: 2020-01-01 is a date"),
        # YAML 1.1
        ("length: 0123\n", f"{TRIAL}, line 2: 0123 is a number in base 2, 8, 16 or 60 to YAML"),
        ("length: 1:40\n", f"{TRIAL}, line 2: 1:40 is a number in base"),
        ("lr: 1:40.5\n", f"{TRIAL}, line 2: 1:40.5 is a number in base 60 to YAML"),
        ("length: 0x10\n", f"{TRIAL}, line 2: 0x10 is a number in base"),
        ("results: 0123\n", "write it in base 10, or a text in quotes"),
        ("stop_on_solved: yes\n", f"{TRIAL}, line 2: yes is true or false to YAML; write that"),
        ("grid:\n  task: [no]\n", f"{TRIAL}, line 3: no is true or false to YAML"),
        ("lr: =\n", f"{TRIAL}, line 2: = is a sign of YAML's own; put it in quotes"),
        ("grid: {task: [adding]}\nlength: 08\n", "length='08': begins with 0, so it is a text"),
        # what is missing
        ("grid: {task: [adding]}\nlength: ???\n", f"{TRIAL}, line 3: ??? stands for a value that"),
        ("task: {adding: {length: '???'}}\n", f"{TRIAL}, line 2: ??? stands for a value that is"),
        # tags, aliases, size
        ('lr: !!bool "x"\n', f"{TRIAL}, line 2: !!bool is refused: write the value without it"),
        ("lr: !!float x\n", f"{TRIAL}, line 2: !!float is refused"),
        ("task: !!set {adding}\n", f"{TRIAL}, line 2: !!set is refused: a config is plain data"),
        ("a: &a\n  b: *a\n", f"{TRIAL}, line 3: nested too deeply; at most 20 levels"),
        ("lr: &a [*a]\n", f"{TRIAL}, line 2: nested too deeply"),
        ("<<: 3\n", f"{TRIAL}, line 2: << takes one mapping"),
        (f"lr: {'[' * 30}{']' * 30}\n", f"{TRIAL}, line 2: nested too deeply; at most 20 levels"),
        (f"lr: {'[' * 3000}{']' * 3000}\n", f"{TRIAL}: nested too deeply; at most 20 levels"),
        (
            f"seeds: [{'1, ' * 20_000}]\n",
            f"{TRIAL}, line 2: the file holds more than 10,000 values",
        ),
        (f"# {'x' * 300_000}\n", f"{TRIAL}: larger than 200,000 bytes"),
        # keys
        ("null: 3\n", f"{TRIAL}, line 2: null cannot be a key"),
        ("task: {~: 3}\n", f"{TRIAL}, line 2: ~ cannot be a key"),
        ("2: 3\n", f"{TRIAL}, line 2: 2 cannot be a key"),
        ('"": 3\n', f"{TRIAL}, line 2: an empty text cannot be a key"),
        ("[lr]: 3\n", f"{TRIAL}, line 2: a list cannot be a key"),
        ("task.adding.length: 3\n", "in a file keys nest, task: {adding: {length: ..."),
        # other files
        ("defaults: [2024]\n", f"{TRIAL}, line 2: 2024 is no text; put it in quotes"),
        ("defaults: [override /logger: 3]\n", f"{TRIAL}, line 2: 3 is no text; put it in quotes"),
        ("grid: {task: [adding]}\nresults: true\n", "results=true: must be one folder, in quotes"),
        ("grid: {task: [adding]}\nresults: -x\n", "results=-x: other commands would take"),
        ('grid: {task: [adding]}\nresults: "a\\0"\n', "experiment trial: results=a: must be one"),
        ("grid: {task: [adding]}\nlr: inf\n", "experiment trial: lr=inf: must be a number above 0"),
        ("grid: {task: [adding]}\nlr: nan\n", "experiment trial: lr=nan: must be a number above 0"),
        ("grid: {task: [adding]}\ntask: null\n", "experiment trial: task: names a group"),
        ("grid: {task: [adding]}\nlogger: wandb\n", "experiment trial: logger: names a group"),
        ("grid: [adding]\n", "conf: In 'experiment/trial'"),
        ("grid: {task: [adding]}\nseeds: 0\n", "experiment trial: seeds=0: must be a whole"),
        ("grid: {task: [adding]}\ndepth: 5\n", "experiment trial: depth=5: none of the selected"),
        (
            "grid: {task: [adding]}\ntask: {adding: {length: 0}}\n",
            "experiment trial: task.adding.length=0: must be a whole number at least 2",
        ),
        (
            "grid: {task: [adding]}\ntask: {digits: {steps: 5}}\n",
            "experiment trial: task.digits.steps=5: digits is not selected (task=adding)",
        ),
        (
            "grid: {task: [adding]}\nlogger: {mode: offline}\n",
            "experiment trial: logger.mode=offline: logger=none has no such setting",
        ),
    ],
)
def test_an_experiment_that_cannot_be_used(text, fragment, conf, experiment):
    experiment(text)
    assert fragment in refusal(["experiment=trial"], conf)


@pytest.mark.parametrize("infinity", ["inf", ".inf", "1e999"])
def test_infinity_as_people_write_it(infinity, conf, experiment):
    experiment(
        "grid: {task: [adding], mitigation: [clip_norm]}\n"
        f"mitigation: {{clip_norm: {{threshold: {infinity}}}}}\n"
    )
    (cell,) = plan(["experiment=trial"], conf).cells
    assert cell.mitigation[0].settings == {"threshold": float("inf")}


def test_an_experiment_needs_its_header(conf, experiment):
    experiment("grid: {task: [adding]}\n", header="")
    message = refusal(["experiment=trial"], conf)
    assert f"{TRIAL}: its first line must be: # @package _global_" in message


def test_experiments_that_build_on_one_another_in_a_circle(conf, experiment):
    experiment("defaults: [second]\n")
    experiment("defaults: [trial]\n", name="second")
    assert "builds on itself, by way of trial and second" in refusal(["experiment=trial"], conf)


def test_bytes_that_are_no_text(conf, experiment):
    experiment("").write_bytes(b"# @package _global_\nlr: \xff\n")
    assert f"{TRIAL}: cannot be read: not UTF-8" in refusal(["experiment=trial"], conf)


def test_a_few_lines_of_aliases_that_stand_for_millions_of_values_are_refused_at_once(
    conf, experiment
):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 8):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    experiment("\n".join(lines))
    assert "the file holds more than 10,000 values" in refusal(["experiment=trial"], conf)


def test_aliases_and_merges_that_stand_for_little_are_fine(conf, experiment):
    experiment(
        "grid: {task: [adding, copy_memory]}\n"
        "task:\n  adding: &short {steps: 7}\n  copy_memory: {<<: *short, length: 9}\n"
    )
    tasks = {spec.task.name: spec.task.settings for spec in plan(["experiment=trial"], conf).cells}
    assert (tasks["adding"]["steps"], tasks["copy_memory"]["steps"]) == (7, 7)
    assert tasks["copy_memory"]["length"] == 9


@pytest.mark.parametrize(
    ("file", "text", "fragment"),
    [
        ("config.yaml", "lr: [\n", "conf/config.yaml, line 2"),
        ("config.yaml", "_recursive_: 3\n", "conf/config.yaml, line 1: _recursive_"),
        ("protocol/fixed.yaml", "window: }\n", "conf/protocol/fixed.yaml, line 1"),
        ("executor/local.yaml", "workers: ${oc.env:N}\n", "conf/executor/local.yaml, line 1"),
        ("protocol/fixed.yaml", "defaults: [x]\n", "only an experiment may have a defaults list"),
        ("task/adding.yaml", "length: 5\n", "its first line must be: # @package task.adding"),
        ("task/adding.yaml", "# @package task.adding\na: [\n", "conf/task/adding.yaml, line 3"),
        (
            "task/adding.yaml",
            "# @package task.adding\n_partial_: true\n",
            "conf/task/adding.yaml, line 2: _partial_: keys that begin with _ are refused",
        ),
        (
            "task/adding.yaml",
            "# @package task.adding\nvariant: arjovsky\nlength: 5\n",
            "conf/task/adding.yaml: task.adding.batch_size: has no default",
        ),
        (
            "optimizer/sgd.yaml",
            "# @package optimizer.sgd\nlr: 0\n",
            "conf/optimizer/sgd.yaml: optimizer.sgd.lr=0: must be a number above 0",
        ),
        (
            "optimizer/sgd.yaml",
            "# @package optimizer.sgd\nlr: 1.0\nnesterov: true\n",
            "conf/optimizer/sgd.yaml: optimizer.sgd.nesterov: there is no such key",
        ),
    ],
)
def test_another_file_that_cannot_be_used(file, text, fragment, conf):
    (conf / file).write_text(text)
    assert fragment in refusal(["task=adding"], conf)


def test_a_member_without_its_file_of_defaults(conf):
    (conf / "task" / "adding.yaml").unlink()
    assert "task=adding: there is no such task" in refusal(["task=adding"], conf)


def test_a_folder_that_is_no_conf(tmp_path):
    assert "config.yaml: cannot be read: No such file" in refusal(["task=adding"], tmp_path)


def test_a_broken_experiment_disturbs_nobody_else(conf, experiment):
    experiment("lr: [\n")
    assert len(plan(["task=adding", "seeds=2"], conf).runs) == 2
