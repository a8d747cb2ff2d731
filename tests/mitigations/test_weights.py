"""Mitigations that act on the weights: where they start, how they are pulled, how far they go."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bench import discovery
from bench.records import MemberSpec, Signature
from tests.mitigations.workbench import SEED, make

SQUARE = ("recurrent", "hidden")
ARCHITECTURES = ["rnn_tanh", "rnn_relu", "lstm", "gru", "mlp"]


def inputs_for(architecture: str, sequence: Tensor) -> Tensor:
    return sequence[0] if architecture == "mlp" else sequence


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ["orthogonal", "identity"])
@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_the_square_weights_start_as_named_and_the_others_keep_their_bits(
    name: str, architecture: str, gain: float
) -> None:
    plain, changed = make(architecture), make(architecture, **{name: {"gain": gain}})
    acted = 0
    for key, parameter in changed.network.named_parameters():
        role = changed.network.roles[key]
        if role.name not in SQUARE:
            assert torch.equal(parameter, plain.network.get_parameter(key))
            continue
        for block in parameter.detach().double().chunk(len(role.gates)):
            acted += 1
            square = block @ block.T if name == "orthogonal" else block @ block
            np.testing.assert_allclose(square, gain**2 * np.eye(6), atol=2e-5)
            if name == "identity":
                assert torch.equal(block, gain * torch.eye(6, dtype=torch.float64))
    assert acted == {"lstm": 4, "gru": 3, "mlp": 2}.get(architecture, 1)


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        *((architecture, "orthogonal") for architecture in ARCHITECTURES),
        *((architecture, "identity") for architecture in ARCHITECTURES if architecture != "mlp"),
    ],
)
def test_where_the_architecture_starts_so_already_nothing_changes(
    architecture: str, kind: str
) -> None:
    """The same stream: the orthogonal matrix of the mitigation is that of the architecture."""
    plain = make(architecture)
    settings = {"hidden_size": 6, "gain": 1.3, "kind": kind}
    settings |= {"depth": 3, "activation": "relu"} if architecture == "mlp" else {"num_layers": 1}
    member = discovery.build("architecture", MemberSpec(architecture, settings))
    already = member.build(Signature(input_size=2, output_size=1))
    already.initialise(SEED)
    discovery.build("mitigation", MemberSpec(kind, {"gain": 1.3})).prepare(
        plain.network, SEED, torch.zeros(1)
    )
    for key, parameter in plain.network.named_parameters():
        if plain.network.roles[key].name in SQUARE:
            assert torch.equal(parameter, already.get_parameter(key))


@pytest.mark.parametrize("architecture", ["rnn_tanh", "mlp", "gru"])
def test_l2_adds_half_the_coefficient_times_the_squares_of_the_weights(
    architecture: str, sequence: Tensor
) -> None:
    bench, plain = make(architecture, l2={"coefficient": 0.3}), make(architecture)
    for each in (bench, plain):
        each.network.double()
        for bias, _ in each.network.with_role("bias"):
            torch.nn.init.constant_(bias, 0.2)
    inputs = inputs_for(architecture, sequence).double()
    loss, plain_loss = bench.backward(inputs), plain.backward(inputs)
    squares = 0.0
    for name, parameter in plain.parameters.items():
        is_weight = plain.network.roles[name].name != "bias"
        squares += float((parameter**2).sum()) if is_weight else 0.0
        pull = 0.3 * parameter if is_weight else torch.zeros_like(parameter)
        torch.testing.assert_close(bench.gradients[name], plain.gradients[name] + pull)
    assert loss == plain_loss  # what is reported stays the task's loss
    penalty = bench.mitigations[0].penalty(bench.network, None)
    assert float(penalty.detach()) == pytest.approx(0.15 * squares, rel=1e-12)


@pytest.mark.parametrize("architecture", ["rnn_tanh", "mlp"])
def test_under_plain_descent_l2_and_weight_decay_are_one(
    architecture: str, sequence: Tensor
) -> None:
    finals = []
    for name in ("l2", "weight_decay"):
        bench = make(architecture, **{name: {"coefficient": 0.05}})
        bench.network.double()
        bench.train(inputs_for(architecture, sequence).double(), steps=30)
        finals.append(bench.parameters)
    for name, parameter in finals[0].items():
        torch.testing.assert_close(parameter, finals[1][name], rtol=1e-11, atol=1e-13)


def test_weight_decay_shrinks_the_old_weights_by_rate_times_coefficient() -> None:
    bench = make(weight_decay={"coefficient": 0.5})
    previous = bench.parameters
    bench.set_gradients(-32.0)
    bench.move(learning_rate=0.25)  # the optimiser adds 8
    for name, parameter in bench.parameters.items():
        decays = bench.network.roles[name].name != "bias"
        expected = previous[name] + 8.0 - (0.125 * previous[name] if decays else 0)
        assert torch.equal(parameter, expected)


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("radius", [0.3, 1.0])
def test_max_norm_projects_long_rows_and_leaves_short_ones(
    architecture: str, radius: float
) -> None:
    bench = make(architecture, max_norm={"radius": radius})
    before = bench.parameters
    bench.move()  # with gradients of zero, so that only the projection acts
    projected = left = 0
    for name, after in bench.parameters.items():
        if bench.network.roles[name].name == "bias":
            assert torch.equal(after, before[name])
            continue
        for was, now in zip(before[name], after, strict=True):
            length = float(was.double().norm())
            if length <= radius:
                left += 1
                assert torch.equal(now, was)
            else:
                projected += 1
                torch.testing.assert_close(now, was * (radius / length))
                assert float(now.double().norm()) <= radius * (1 + 1e-6)
    assert projected > 0
    assert left > 0 or radius == 0.3


@pytest.mark.parametrize("poison", [math.inf, math.nan])
def test_max_norm_hides_no_weight_that_is_not_finite(poison: float) -> None:
    bench = make(max_norm={"radius": 1.0})
    with torch.no_grad():
        bench.network.get_parameter("recurrent_0")[2, 3] = poison
    bench.move()
    weight = bench.parameters["recurrent_0"]
    assert not weight[2, 3].isfinite()
    assert weight[[0, 1, 3, 4, 5]].isfinite().all()


@pytest.mark.parametrize(("size", "dtype"), [(1e20, torch.float32), (1e200, torch.float64)])
def test_max_norm_projects_huge_weights(size: float, dtype: torch.dtype) -> None:
    bench = make(max_norm={"radius": 1.0})
    bench.network.to(dtype)
    weight = bench.network.get_parameter("recurrent_0")
    torch.nn.init.constant_(weight, size)
    bench.move()
    assert weight.flatten().tolist() == pytest.approx([1 / math.sqrt(6)] * 36)


@pytest.mark.parametrize("updates", [1, 2, 10])
def test_warm_up_rises_in_a_straight_line_and_stays(updates: int) -> None:
    rule = discovery.build("mitigation", MemberSpec("warmup", {"updates": updates}))
    factors = [rule.schedule(step, 100) for step in range(1, 21)]
    expected = [min(1.0, step / updates) for step in range(1, 21)]
    assert factors == expected
    assert factors[-1] == 1.0
