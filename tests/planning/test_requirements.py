"""What a member requires of a whole run is found out before anything is written."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench import conditions, discovery, plugins
from bench.mitigations.critical import critical_gain
from bench.planning import plan
from bench.planning.requirements import unmet
from bench.records import BadInput, MemberSpec
from bench.templates import write

BATCH = ["task=adding", "mitigation=batch_norm"]
FORCING = ["task=lorenz", "mitigation=sparse_teacher_forcing"]
GELU = ["task=digits", "architecture=mlp", "mitigation=critical"]
GELU = [*GELU, "architecture.mlp.activation=gelu"]
VARIANCE = "mitigation.critical.bias_variance"
TEACHER = ["task=teacher_student", "architecture=mlp"]
RELU, DEPTH, WIDTH, GAIN = (
    f"task.teacher_student.{setting}"
    for setting in ("activation=relu", "teacher_depth", "teacher_width", "gain")
)
RING = ["task=adding", "architecture=lru"]
INNER, OUTER = (f"architecture.lru.{which}_radius" for which in ("smallest", "largest"))

CASES = [
    # (what is asked for, unsuited, at the edge of what is not, why)
    (BATCH, ["batch_size=1"], ["batch_size=2"], "a batch of one example has no variance"),
    (FORCING, ["hidden_size=2"], ["hidden_size=3"], "must hold the 3 numbers"),
    (["task=char_lm"], ["length=23163"], ["length=23162"], "holds no such window"),
    (GELU, [f"{VARIANCE}=0.16"], [f"{VARIANCE}=0.17"], "critical point of gelu is not stable"),
    ([*TEACHER, RELU], [f"{WIDTH}=23"], [f"{WIDTH}=24"], "answers everything alike"),
    ([*TEACHER, RELU, f"{WIDTH}=1"], [f"{DEPTH}=2"], [f"{DEPTH}=1"], "answers everything alike"),
    ([*TEACHER, f"{GAIN}=0.001"], [f"{DEPTH}=46"], [f"{DEPTH}=45"], "all zero"),
    ([*TEACHER, RELU, f"{GAIN}=1e6"], [f"{DEPTH}=23"], [f"{DEPTH}=22"], "leave float64"),
    (RING, [f"{INNER}=0.95", f"{OUTER}=0.9"], [f"{INNER}=0.9", f"{OUTER}=0.9"], "a ring is no"),
]


@pytest.mark.parametrize(("asked", "unsuited", "suited", "why"), CASES, ids=lambda each: str(each))
def test_bad_input_is_refused_and_the_last_good_one_is_not(
    asked, unsuited, suited, why, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=why) as refusal:
        plan([*asked, *unsuited, "seeds=1"])
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500
    assert all(given.partition("=")[2] in str(refusal.value) for given in unsuited)
    assert len(plan([*asked, *suited, "seeds=1"]).runs) == 1
    assert os.listdir(tmp_path) == []


def test_inside_a_grid_it_is_left_out_and_told_once():
    planned = plan(
        ["task=adding", "mitigation=none,batch_norm", "lr=0.1,0.2", "batch_size=1,2", "seeds=1"]
    )
    ran = [(spec.mitigation_name, spec.task.settings["batch_size"]) for spec in planned.cells]
    assert sorted(set(ran)) == [("batch_norm", 2), ("none", 1), ("none", 2)]
    assert [tuple(each) for each in planned.left_out] == [
        (
            "mitigation=batch_norm task.adding.batch_size=1",
            "a batch of one example has no variance (batch_norm requires task.batch_size >= 2)",
        )
    ]


def test_the_conditions_are_those_of_the_members_own_code():
    """What planning lets through at its edge, the member does too; and not what lies beyond."""
    assert critical_gain("gelu", 0.17) > 1
    with pytest.raises(BadInput, match="not stable"):
        critical_gain("gelu", 0.16)
    settings = discovery.defaults("task", "char_lm") | {"evaluation_size": 100}
    longest = discovery.build("task", MemberSpec("char_lm", settings | {"length": 23162}))
    assert longest._places("validation") == 1
    with pytest.raises(BadInput, match="characters"):
        discovery.build("task", MemberSpec("char_lm", settings | {"length": 23163}))._places("test")
    forcing = discovery.build("mitigation", plan([*FORCING, "seeds=1"]).runs[0].mitigation[0])
    for hidden, fits in ((3, True), (2, False)):
        (run,) = plan(["task=lorenz", f"hidden_size={hidden}", "seeds=1"]).runs
        task = discovery.build("task", run.task)
        network = discovery.build("architecture", run.architecture).build(task.signature)
        if fits:
            forcing.prepare(network, 0, torch.zeros(5, 2, task.signature.input_size))
        else:
            with pytest.raises(BadInput, match="hidden_size=2 is too small"):
                forcing.prepare(network, 0, torch.zeros(5, 2, task.signature.input_size))


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "relu", "teacher_width": 24, "teacher_depth": 30},
        {"activation": "relu", "teacher_width": 24, "teacher_depth": 22, "gain": 1e6},
        {"activation": "relu", "teacher_width": 1, "teacher_depth": 1},
        {"activation": "tanh", "teacher_width": 1, "teacher_depth": 45, "gain": 1e-3},
        {"activation": "tanh", "teacher_width": 3, "teacher_depth": 60, "gain": 1e6},
    ],
)
def test_a_teacher_that_is_planned_is_not_constant(settings):
    """The chance that one layer of a draw is dead is 2^-24 for each of 30: below 1e-5."""
    (run,) = plan([*TEACHER, "seeds=1"]).runs
    task = MemberSpec("teacher_student", {**run.task.settings, **settings})
    assert unmet(replace(run, task=task)) is None
    targets = discovery.build("task", task).training_batch(1, 0).targets
    assert all(map(math.isfinite, targets.ravel()))
    assert targets.std() > 0


def test_every_name_in_a_condition_is_a_setting_of_somebodys():
    for kind in discovery.KINDS:
        for member in discovery.members(kind).values():
            for text in member.facts.get("requires", {}):
                for name in conditions.read(text).names:
                    other, point, setting = name.partition(".")
                    known = discovery.members(other).values() if other in discovery.KINDS else ()
                    is_known = any(setting in each.schema for each in known)
                    assert is_known or not point or name == "dataset.size", (member.name, name)


@pytest.fixture
def own(tmp_path: Path):
    """A mitigation in a file of its own, with a condition."""

    def written(requires: str) -> None:
        file, *_ = write("mitigation", "mine", tmp_path)
        line = '    nonfinite: ClassVar[str] = "propagates"\n'
        assert line in file.read_text()
        more = f"    requires: ClassVar[dict[str, str]] = {requires}\n"
        file.write_text(file.read_text().replace(line, line + more))
        plugins.name_files([file])

    yield written
    plugins.forget_files()
    discovery._members.cache_clear()


def test_a_plug_in_states_its_own(own):
    own("{'architecture.hidden_size >= 2 * threshold': 'it halves the units'}")
    asked = ["task=adding", "mitigation=mine", "seeds=1"]
    assert len(plan([*asked, "hidden_size=2"]).runs) == 1
    with pytest.raises(BadInput) as refusal:
        plan([*asked, "hidden_size=2", "mitigation.mine.threshold=3"])
    assert str(refusal.value) == (
        "architecture.rnn_tanh.hidden_size=2 mitigation.mine.threshold=3.0: it halves the units "
        "(mine requires architecture.hidden_size >= 2 * threshold)"
    )


def test_where_a_run_has_no_such_setting_it_is_not_judged(own):
    own("{'architecture.depth >= 1000': 'it is for very deep networks'}")
    assert plan(["task=adding", "mitigation=mine", "seeds=1"]).runs
    with pytest.raises(BadInput, match="very deep"):
        plan(["task=digits", "architecture=mlp", "mitigation=mine", "seeds=1"])


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        ("{'widht > 3': 'w'}", "requires widht > 3: widht is neither a setting"),
        ("{'open(x) > 3': 'w'}", "requires open.*holds a Call"),
        ("('threshold > 3',)", "requires must be a dict"),
        ("{'threshold > 3': 3}", "requires must be a dict"),
        ("{'threshold > 3': 'two\\nlines'}", "requires must be a dict"),
        ("{\"threshold < 'a'\": 'w'}", "mitigation=mine: requires threshold < 'a': "),
    ],
)
def test_a_condition_that_is_none_is_refused_in_one_line(own, requires, message):
    own(requires)
    with pytest.raises(BadInput, match=message) as refusal:
        plan(["task=adding", "mitigation=mine", "seeds=1"])
    assert str(refusal.value).isprintable()


def test_a_setting_that_is_tried_must_suit_too(own, monkeypatch):
    own("{'threshold <= 5': 'more is too much'}")
    known = dict(discovery.members("mitigation"))
    facts = {**known["mine"].facts, "tries": {"threshold": (1.0, 10.0)}}
    known["mine"] = replace(known["mine"], facts=facts)
    members = discovery.members
    monkeypatch.setattr(
        discovery, "members", lambda kind: known if kind == "mitigation" else members(kind)
    )
    with pytest.raises(BadInput, match=r"threshold=10.0: more is too much .*settings tried"):
        plan(["task=adding", "mitigation=mine", "protocol=tuned", "seeds=1"])
