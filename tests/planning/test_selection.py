"""What can work together, from the literal facts of the members' files."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bench import discovery
from bench.planning import plan
from bench.planning.selection import Selection, select
from bench.records import BadInput

WHERE = {kind: kind for kind in discovery.KINDS}
FITTING = {"task": ["adding"], "architecture": ["lstm"], "mitigation": ["none"]}
GRID = {**FITTING, "optimizer": ["sgd"]}


def pairs(selection: Selection) -> set[tuple[str, str]]:
    fitting, _ = selection.combinations()
    return {(each.task.name, each.architecture.name) for each in fitting}


def test_a_task_meets_the_architectures_that_take_its_inputs():
    tasks, architectures = discovery.members("task"), discovery.members("architecture")
    selection = select({**GRID, "task": list(tasks), "architecture": list(architectures)}, WHERE)
    fitting = {
        (task.name, architecture.name)
        for task, architecture in product(tasks.values(), architectures.values())
        if task.facts["inputs"] == architecture.facts["inputs"]
    }
    _, left_out = selection.combinations()
    assert pairs(selection) == fitting
    assert len(left_out) == len(tasks) * len(architectures) - len(fitting) > 0
    assert len({each.what for each in left_out}) == len(left_out)


def test_what_is_left_out_is_listed_once_with_a_reason():
    planned = plan(["task=adding,digits", "architecture=mlp", "mitigation=none,l2", "lr=0.1,0.2"])
    assert {spec.task.name for spec in planned.runs} == {"digits"}
    architectures = discovery.members("architecture").values()
    fitting = ", ".join(each.name for each in architectures if each.facts["inputs"] == "sequence")
    assert [tuple(each) for each in planned.left_out] == [
        (
            "task=adding architecture=mlp",
            f"adding is a sequence, mlp takes a vector (for adding: {fitting})",
        )
    ]


def test_a_mitigation_that_needs_what_an_architecture_lacks_is_left_out(monkeypatch):
    """No mitigation needs `recurrent_weights` yet, so one is made to."""
    known = dict(discovery.members("mitigation"))
    known["l2"] = replace(known["l2"], facts={**known["l2"].facts, "needs": ("recurrent_weights",)})
    members = discovery.members
    monkeypatch.setattr(
        discovery, "members", lambda kind: known if kind == "mitigation" else members(kind)
    )
    planned = plan(["task=adding,digits", "architecture=lstm,mlp", "mitigation=none,l2+clip_norm"])
    ran = {(spec.architecture.name, spec.mitigation_name) for spec in planned.runs}
    assert ran == {("lstm", "none"), ("mlp", "none"), ("lstm", "l2+clip_norm")}
    assert (
        "architecture=mlp mitigation=l2+clip_norm",
        "l2 acts on the recurrent weights, which mlp does not have",
    ) in planned.left_out
    with pytest.raises(BadInput, match="l2 acts on the recurrent weights, which mlp does not have"):
        plan(["task=digits", "architecture=mlp", "mitigation=l2"])


def test_every_pair_of_mitigations_is_allowed_unless_both_claim_the_same():
    known = discovery.members("mitigation")
    for first, second in product(known.values(), repeat=2):
        claims = set(first.facts["claims"]) & set(second.facts["claims"])
        alone = "alone" in {*first.facts["claims"], *second.facts["claims"]}
        grid = {**GRID, "mitigation": [f"{first.name}+{second.name}"]}
        too_late = (
            "parametrisation" in first.facts["claims"]
            and "initial_weights" in second.facts["claims"]
        )
        if claims or alone or too_late or first is second:
            with pytest.raises(BadInput, match=f"mitigation={first.name}.{second.name}: "):
                select(grid, WHERE)
        else:
            assert select(grid, WHERE).names["mitigation"] == grid["mitigation"]


def test_a_member_of_two_combinations_is_composed_once():
    selection = select({**GRID, "mitigation": ["l2+clip_norm", "l2", "clip_norm+l2"]}, WHERE)
    assert [member.name for member in selection.members["mitigation"]] == ["l2", "clip_norm"]
