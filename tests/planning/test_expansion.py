"""The grid: which runs there are, and that the same settings always name the same run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import discovery
from bench.planning import plan
from bench.records import RunSpec

repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=8)


def run_ids(overrides: list[str]) -> list[str]:
    return [spec.run_id for spec in plan(overrides).runs]


def test_cells_are_the_product_of_what_is_selected_and_tried():
    planned = plan(
        [
            "task=adding,copy_memory",
            "architecture=rnn_tanh,lstm,gru",
            "mitigation=none,clip_norm",
            "optimizer=sgd,adam",
            "length=10,20",
            "lr=0.1,0.2,0.3",
            "mitigation.clip_norm.threshold=1,2",
            "dtype=float32,float64",
            "seeds=5",
        ]
    )
    cells = 2 * 3 * (1 + 2) * 2 * 2 * 3 * 2  # the threshold is no axis of `none`
    assert len(planned.cells) == cells
    assert len(planned.runs) == 5 * cells
    assert len({spec.run_id for spec in planned.runs}) == 5 * cells
    assert {spec.cell_id for spec in planned.runs} == {spec.cell_id for spec in planned.cells}
    assert planned.left_out == []


@repeatable
@given(st.data())
def test_run_ids_do_not_depend_on_the_order_of_overrides_and_lists(data):
    lists = {
        "task": ["adding", "copy_memory", "sequential_digits"],
        "mitigation": ["none", "l2", "orthogonal+clip_norm"],
        "lr": ["0.1", "0.01"],
        "length": ["10", "20"],
        "seeds": ["4", "0", "9"],
    }

    def shuffled(entries):
        return data.draw(st.permutations(entries))

    lines = [f"{key}=[{','.join(shuffled(values))}]" for key, values in lists.items()]
    written = [f"{key}={','.join(values)}" for key, values in lists.items()]
    assert sorted(run_ids(shuffled(lines))) == sorted(run_ids(written))


@repeatable
@given(st.integers(1, 2**40))
def test_a_number_names_the_same_run_however_it_is_written(value):
    forms = [f"{value}", f"{value}.0", f"{value}e0", f"{value:_}"]
    expected = run_ids(["task=adding", f"lr={value}"])
    assert run_ids(["task=adding", f"lr={','.join(forms)}"]) == expected
    for form in forms:
        assert run_ids(["task=adding", f"optimizer.sgd.lr={form}"]) == expected


def test_settings_have_the_types_of_the_schema():
    (spec,) = plan(["task=adding", "lr=1", "seeds=1"]).runs
    for kind, member in spec.members:
        schema = discovery.member(kind, member.name).schema
        assert list(member.settings) == list(schema)  # all of them, in the file's order
    assert repr(spec.optimizer.settings["lr"]) == "1.0"
    assert RunSpec.from_json(spec.to_json()) == spec


def test_repeats_are_merged():
    once = run_ids(["task=adding", "mitigation=none,l2+clip_norm", "lr=1,2"])
    twice = ["task=adding,adding", "mitigation=none,l2+clip_norm,'l2 + clip_norm',none"]
    assert run_ids([*twice, "lr=1,2,1.0,2"]) == once


def test_the_order_of_mitigations_that_act_together_is_part_of_the_run():
    together = plan(["task=adding", "mitigation=l2+clip_norm,clip_norm+l2", "seeds=1"])
    assert [spec.mitigation_name for spec in together.runs] == ["l2+clip_norm", "clip_norm+l2"]
    assert len({spec.run_id for spec in together.runs}) == 2


def test_a_knob_is_one_axis_for_all_who_have_it():
    planned = plan(["task=adding", "optimizer=sgd,adam", "lr=0.1,0.2", "seeds=1"])
    found = [(spec.optimizer.name, spec.optimizer.settings["lr"]) for spec in planned.runs]
    assert found == [("sgd", 0.1), ("sgd", 0.2), ("adam", 0.1), ("adam", 0.2)]


@pytest.mark.parametrize(
    ("written", "seeds"),
    [
        ("3", (0, 1, 2)),
        ("[3]", (3,)),
        ("[3,7]", (3, 7)),
        ("7,3", (7, 3)),
        ("range(3)", (0, 1, 2)),
        ("range(5,8)", (5, 6, 7)),
    ],
)
def test_seeds_are_a_count_or_a_list(written, seeds):
    planned = plan(["task=adding", f"seeds={written}"])
    assert planned.seeds == seeds
    assert tuple(spec.seed for spec in planned.runs) == seeds
    first = planned.cells[0]
    assert all(replace(spec, seed=first.seed) == first for spec in planned.runs)


def test_the_runs_steps_are_those_of_its_task():
    planned = plan(["task=adding,copy_memory", "task.adding.steps=7", "steps=9", "seeds=1"])
    assert [(spec.task.name, spec.steps) for spec in planned.runs] == [
        ("adding", 7),
        ("copy_memory", 9),
    ]
    assert all(spec.task.settings["steps"] == spec.steps for spec in planned.runs)


def test_a_large_plan_checks_each_cell_once_and_not_each_seed(monkeypatch):
    from bench.planning import resolving

    calls = []
    checked = resolving.checked
    monkeypatch.setattr(resolving, "checked", lambda *args: calls.append(args) or checked(*args))
    assert len(plan(["task=adding", "seeds=10000", "lr=range(1,11)"]).runs) == 100_000
    assert len(calls) < 100
