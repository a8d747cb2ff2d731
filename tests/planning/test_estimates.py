"""Estimates: how cost depends on the settings. How well it is met was measured, not tested."""

from __future__ import annotations

import pytest

from bench import discovery, plugins
from bench.planning import estimate, plan
from bench.planning.estimates import estimates
from bench.planning.measured import measured
from bench.records import RunSpec
from bench.templates import write

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
            "optimizer=sgd,adam",
            "lr=0.1,0.2",
            "length=20,30",
            "dtype=float32,float64",
            "protocol.evaluations=25,50",
        ]
    )
    assert estimates(planned.cells) == list(map(estimate, planned.cells))


SIZES = ["length=100", "batch_size=32", "hidden_size=64", "steps=100000"]
DEEP = ["task=digits", "architecture=mlp", "depth=50", "batch_size=32", "steps=100000"]
RECURRENT = ["task=adding", "architecture=rnn_tanh", *SIZES]


@pytest.mark.parametrize("grid", [RECURRENT, DEEP], ids=["recurrent", "deep"])
def test_where_costs_were_measured_the_estimate_is_what_was_measured(grid):
    """Evaluations, which are few here, are estimated apart."""
    inputs = "sequence" if grid is RECURRENT else "vector"
    names = [
        name
        for name in discovery.members("mitigation")
        if (cost := measured("mitigation", name, inputs)) is not None
        and (cost.task.name, cost.architecture.name) == (grid[0][5:], grid[1][13:])
    ]
    assert {"weight_norm", "layer_norm", "l2"} <= set(names)
    cells = plan([*grid, f"mitigation={','.join(names)}", "seeds=1"]).cells
    plain = seconds(*grid)
    for spec, found in zip(cells, estimates(cells), strict=True):
        cost = measured("mitigation", spec.mitigation_name, inputs)
        assert cost is not None
        multiple = found.seconds / plain - cost.before / spec.steps
        wanted = 1 if spec.mitigation_name == "none" else max(1, cost.time)
        assert multiple == pytest.approx(wanted, rel=0.05), spec.mitigation_name


@pytest.mark.parametrize("architecture", SEQUENCE)
def test_an_architecture_costs_what_was_measured_beside_the_plain_one(architecture):
    cost = measured("architecture", architecture, "sequence")
    assert cost is not None
    one, plain = (
        seconds("task=adding", f"architecture={name}", *SIZES)
        for name in (architecture, "rnn_tanh")
    )
    plain_cost = measured("architecture", "rnn_tanh", "sequence")
    assert plain_cost is not None
    assert one / plain == pytest.approx(cost.time / plain_cost.time, rel=0.05)


@pytest.mark.parametrize(
    ("mitigation", "sizes"),
    [
        ("layer_norm", ("length", "hidden_size", "batch_size", "architecture.rnn_tanh.num_layers")),
        ("omega", ("length", "hidden_size", "batch_size", "architecture.rnn_tanh.num_layers")),
        ("orthogonal_parametrisation", ("hidden_size", "architecture.rnn_tanh.num_layers")),
        ("spectral_norm", ("hidden_size", "architecture.rnn_tanh.num_layers")),
    ],
)
def test_what_a_mitigation_adds_grows_with_the_sizes_of_what_it_acts_on(mitigation, sizes):
    def added(size: str) -> list[float]:
        grid = ["task=adding", f"mitigation=none,{mitigation}", f"{size}=16,32,64", "seeds=1"]
        costs = [each.seconds for each in estimates(plan(grid).cells)]
        return [with_it - without for without, with_it in zip(costs[:3], costs[3:], strict=True)]

    for size in ("length", "hidden_size", "batch_size", "architecture.rnn_tanh.num_layers"):
        few, more, many = added(size)
        if size in sizes:
            assert 0 < few < more < many, size
        else:
            assert few == pytest.approx(many), size


def test_mitigations_together_cost_what_each_adds():
    plain, one, other, both = (
        seconds("task=adding", f"mitigation={name}")
        for name in ("none", "layer_norm", "weight_norm", "layer_norm+weight_norm")
    )
    assert both - plain == pytest.approx(one + other - 2 * plain, rel=0.02)


def test_what_comes_before_training_is_in_proportion_to_the_settings_it_names():
    def before(**settings: int) -> float:
        given = [f"mitigation.gradient_flossing.{name}={value}" for name, value in settings.items()]
        return seconds("task=adding", "mitigation=gradient_flossing", *given) - plain

    plain = seconds("task=adding")
    assert before(updates=200) == pytest.approx(2 * before(updates=100))
    assert before(exponents=6) == pytest.approx(3 * before(exponents=2))
    assert before(updates=100) > 0.1 * plain
    for name, member in discovery.members("mitigation").items():
        assert set(member.facts.get("prepares", ())) <= set(member.schema), name


def test_what_nobody_has_measured_counts_as_nothing_and_is_told(tmp_path):
    file, *_ = write("mitigation", "soft_clip", tmp_path)
    plugins.name_files([file])
    try:
        planned = plan(["task=adding", "mitigation=none,soft_clip,clip_norm", "seeds=1"])
        plain, own, clipped = estimates(planned.cells)
        words = planned.describe(cores=1)
    finally:
        plugins.forget_files()
    assert own == plain
    assert clipped.seconds > plain.seconds
    assert "Not in the estimate: what soft_clip costs, which nobody has measured" in words
    assert "Not in the estimate" not in plan(["task=adding", "seeds=1"]).describe(cores=1)
