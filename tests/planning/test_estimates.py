"""Estimates: how cost depends on the settings. How well it is met was measured, not tested."""

from __future__ import annotations

import pytest

from bench import discovery
from bench.planning import estimate, plan
from bench.planning.estimates import estimates
from bench.records import RunSpec

SEQUENCE = [
    name
    for name, member in discovery.members("architecture").items()
    if member.facts["inputs"] == "sequence"
]


def spec(*overrides: str) -> RunSpec:
    (found,) = plan([*overrides, "seeds=1"]).runs
    return found


def seconds(*overrides: str) -> float:
    return estimate(spec(*overrides)).seconds


def test_every_architecture_has_an_estimate():
    for name, member in discovery.members("architecture").items():
        task = "adding" if member.facts["inputs"] == "sequence" else "digits"
        found = estimate(spec(f"task={task}", f"architecture={name}"))
        assert 1 < found.seconds < 1000  # of 1000 updates of a small network
        assert 1e8 < found.bytes < 1e9


def test_time_is_linear_in_the_updates_but_for_the_evaluations():
    cost = [seconds("task=adding", f"steps={n}") for n in (10_000, 20_000, 40_000)]
    assert cost[2] - cost[1] == pytest.approx(2 * (cost[1] - cost[0]), rel=0.01)


def test_evaluations_cost_time():
    few, many = (seconds("task=adding", f"protocol.evaluations={n}") for n in (10, 1000))
    assert many > few * 1.5


@pytest.mark.parametrize("architecture", SEQUENCE)
def test_a_long_sequence_costs_in_proportion_to_its_length(architecture):
    long, longer = (
        estimate(spec("task=adding", f"architecture={architecture}", f"length={n}"))
        for n in (2000, 4000)
    )
    assert longer.seconds == pytest.approx(2 * long.seconds, rel=0.05)
    assert long.bytes < longer.bytes < 2 * long.bytes


def test_states_that_are_computed_again_take_no_more_memory():
    """Beyond a bound a sequence is cut in segments; only the batches still grow with its length."""
    sizes = [
        estimate(spec("task=adding", "architecture=lstm", f"length={n}")).bytes
        for n in (10_000, 20_000, 30_000)
    ]
    plain = [
        estimate(spec("task=adding", "architecture=rnn_tanh", "hidden_size=1", f"length={n}")).bytes
        for n in (10_000, 20_000)
    ]
    assert sizes[1] - sizes[0] == sizes[2] - sizes[1]
    assert sizes[1] - sizes[0] == pytest.approx(plain[1] - plain[0], rel=0.05)


@pytest.mark.parametrize("architecture", SEQUENCE)
def test_a_wide_network_costs_with_the_square_of_its_width(architecture):
    wide, wider = (
        seconds("task=adding", f"architecture={architecture}", f"hidden_size={n}", "length=10")
        for n in (2000, 4000)
    )
    assert 3.5 < wider / wide < 4.1


def test_more_gates_layers_and_depth_cost_more():
    by_gates = [seconds("task=adding", f"architecture={a}") for a in ("rnn_tanh", "gru", "lstm")]
    assert by_gates == sorted(by_gates)
    one, two = (seconds("task=adding", f"architecture.rnn_tanh.num_layers={n}") for n in (1, 2))
    assert 1.5 < two / one < 3
    shallow, deep = (seconds("task=digits", "architecture=mlp", f"depth={n}") for n in (100, 200))
    assert deep == pytest.approx(2 * shallow, rel=0.1)


def test_images_one_after_another_are_a_longer_sequence():
    one, four = (
        seconds("task=sequential_digits", f"task.sequential_digits.images={n}") for n in (1, 4)
    )
    assert 3 < four / one < 4.1


def test_a_module_at_every_step_and_double_precision_cost_more():
    plain = estimate(spec("task=adding"))
    normalised = estimate(spec("task=adding", "mitigation=layer_norm+clip_norm"))
    double = estimate(spec("task=adding", "dtype=float64"))
    assert normalised.seconds > 2 * plain.seconds
    assert plain.seconds < double.seconds < 2.1 * plain.seconds
    assert plain.bytes < double.bytes


def test_memory_is_that_of_the_larger_of_training_and_evaluation():
    def found(batch: int, held_out: int) -> int:
        sizes = [f"batch_size={batch}", f"task.adding.evaluation_size={held_out}"]
        layers = "architecture.rnn_tanh.num_layers=2"
        return estimate(spec("task=adding", "length=1000", layers, *sizes)).bytes

    assert found(512, 100) > found(32, 100)
    assert found(32, 2048) > found(32, 256)
    assert found(8, 2048) == found(16, 2048)


def test_estimates_of_a_whole_plan_are_those_of_its_cells():
    planned = plan(
        [
            "task=adding,copy_memory",
            "architecture=rnn_tanh,gru",
            "mitigation=none,layer_norm+clip_norm",
            "lr=0.1,0.2",
            "length=20,30",
            "dtype=float32,float64",
            "protocol.evaluations=25,50",
        ]
    )
    assert estimates(planned.cells) == list(map(estimate, planned.cells))
