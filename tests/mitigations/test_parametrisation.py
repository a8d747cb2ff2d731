"""Weights computed from other numbers: weight_norm, spectral_norm, orthogonal_parametrisation.

At its start weight_norm is `none` to the bit; none of the three has a neutral setting beyond that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from bench import discovery
from bench.planning import plan
from bench.records import BadInput, MemberSpec
from tests.mitigations.workbench import SEED, Workbench, make

ARCHITECTURES = ["rnn_tanh", "gru", "lstm", "mlp"]
SQUARE = ("recurrent", "hidden")
WEIGHTS = ("input", "readout", *SQUARE)
RULES: dict[str, dict[str, Any]] = {
    "weight_norm": {},
    "spectral_norm": {"bound": 0.8},
    "orthogonal_parametrisation": {"gain": 1.2},
}


def inputs_for(architecture: str, sequence: Tensor) -> Tensor:
    return sequence[0] if architecture == "mlp" else sequence


def blocks(made: Workbench) -> list[np.ndarray]:
    """The square matrices that act, each gate's by itself, in float64."""
    found = []
    for name, role in made.network.names_of(*SQUARE):
        weight = made.network.tensor(name).detach().double()
        found += [block.numpy() for block in weight.chunk(len(role.gates))]
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weight_norm_starts_as_the_same_network_to_the_bit(
    architecture: str, sequence: Tensor
) -> None:
    inputs = inputs_for(architecture, sequence)
    plain, changed = make(architecture), make(architecture, weight_norm={})
    assert torch.equal(plain.network(inputs), changed.network(inputs))
    names = [name for name, _ in plain.network.names_of(*WEIGHTS)]
    assert all(parametrize.is_parametrized(changed.network, name) for name in names)


def test_weight_norm_is_its_equation_and_so_are_its_gradients(sequence: Tensor) -> None:
    made, plain = make("rnn_tanh", weight_norm={}), make("rnn_tanh")
    for each in (made, plain):
        each.network.double()
    network = made.network
    with torch.no_grad():
        for name, _ in network.names_of(*WEIGHTS):
            key = f"parametrizations.{name}"
            network.get_parameter(f"{key}.original").mul_(3.0)
            network.get_parameter(f"{key}.0.gain").mul_(1.5)
            plain.network.get_parameter(name).mul_(1.5)
    made.backward(sequence.double())
    plain.backward(sequence.double())
    for name, _ in network.names_of(*WEIGHTS):
        v = network.get_parameter(f"parametrizations.{name}.original")
        weight, outer = plain.network.get_parameter(name), plain.gradients[name]
        torch.testing.assert_close(network.tensor(name), weight, rtol=1e-6, atol=0)
        length = v.detach().norm(dim=1, keepdim=True)
        unit = v.detach() / length
        along = (outer * unit).sum(dim=1, keepdim=True)
        gain = network.get_parameter(f"parametrizations.{name}.0.gain").detach()[:, None]
        # Salimans & Kingma, eq. 3; float32's rounding of the gain's start is in both.
        assert v.grad is not None
        torch.testing.assert_close(
            v.grad, gain / length * (outer - along * unit), rtol=1e-4, atol=1e-6
        )
        gained = network.get_parameter(f"parametrizations.{name}.0.gain").grad
        torch.testing.assert_close(gained, along[:, 0], rtol=1e-4, atol=1e-6)
        assert float((v.grad * v).sum(dim=1).abs().max().detach()) < 1e-10


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_the_size_of_what_is_learnt_does_nothing(name: str, sequence: Tensor) -> None:
    made = make("gru", **{name: RULES[name]})
    made.network.double().eval()
    before = made.network(sequence.double())
    with torch.no_grad():
        for weight, _ in made.network.with_role(*SQUARE):
            weight.mul_(1000.0)
    torch.testing.assert_close(made.network(sequence.double()), before)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("bound", [0.5, 1.0])
def test_spectral_norm_holds_the_largest_singular_value_at_its_bound(
    architecture: str, bound: float, sequence: Tensor
) -> None:
    made, inputs = (
        make(architecture, spectral_norm={"bound": bound}),
        inputs_for(architecture, sequence),
    )
    made.network.eval()
    for block in blocks(made):  # 30 iterations from a random start
        assert np.linalg.norm(block, 2) == pytest.approx(bound, rel=0.02)
    made.train(inputs, steps=30, lr=0.05)
    made.network.eval()
    for block in blocks(made):
        assert np.linalg.norm(block, 2) == pytest.approx(bound, rel=0.005)


def test_spectral_norms_gradient_holds_u_and_v_fixed() -> None:
    """Miyato et al. 2018, eq. 12: (G - <G, W> u v^T / bound) bound / sigma, W = bound V / sigma."""
    made = make("rnn_tanh", spectral_norm={"bound": 0.8})
    network = made.network.double().eval()
    weight = network.tensor("recurrent_0")
    outer = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (weight * outer).sum().backward()
    original = network.get_parameter("parametrizations.recurrent_0.original")
    rule = network.get_submodule("parametrizations.recurrent_0.0")
    u, v = rule.u[0].numpy(), rule.v[0].numpy()
    sigma = float(u @ original.detach().numpy() @ v)
    inner = float((outer * weight.detach()).sum())
    expected = (outer.numpy() - inner / 0.8 * np.outer(u, v)) * 0.8 / sigma
    assert original.grad is not None
    np.testing.assert_allclose(original.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_spectral_norm_iterates_once_a_training_pass_and_never_in_evaluation(
    sequence: Tensor,
) -> None:
    made = make("rnn_tanh", spectral_norm={"bound": 1.0})
    rule = made.network.get_submodule("parametrizations.recurrent_0.0")
    original = made.network.get_parameter("parametrizations.recurrent_0.original")
    torch.nn.init.normal_(original, generator=torch.Generator().manual_seed(0))
    start, weight = rule.u[0].double().numpy(), original.detach().double().numpy()
    made.network.eval()
    made.network(sequence)
    assert np.array_equal(rule.u[0].double().numpy(), start)
    made.network.train()
    made.backward(sequence)
    v = weight.T @ start
    expected = weight @ v
    np.testing.assert_allclose(rule.u[0], expected / np.linalg.norm(expected), atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_orthogonal_parametrisation_starts_as_orthogonal_and_stays_so(
    architecture: str, sequence: Tensor
) -> None:
    inputs = inputs_for(architecture, sequence)
    made = make(architecture, orthogonal_parametrisation={"gain": 1.2})
    started = blocks(made)
    for one, other in zip(
        started, blocks(make(architecture, orthogonal={"gain": 1.2})), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    made.train(inputs, steps=30, lr=0.3)
    moved = 0
    for before, after in zip(started, blocks(made), strict=True):
        np.testing.assert_allclose(after @ after.T, 1.44 * np.eye(6), atol=3e-5)
        assert np.linalg.det(after) == pytest.approx(np.linalg.det(before), rel=1e-4)
        moved += np.abs(after - before).max() > 1e-3
    assert moved > 0


@pytest.mark.parametrize(
    "other", [{"clip_norm": {"threshold": 0.01}}, {"l2": {"coefficient": 0.1}}]
)
@pytest.mark.parametrize("name", RULES)
def test_they_train_beside_what_reads_roles_and_gradients(
    name: str, other: dict[str, Any], sequence: Tensor
) -> None:
    made = make("lstm", **{name: RULES[name]}, **other)
    plain = make("lstm", **{name: RULES[name]})
    made.backward(sequence)
    plain.backward(sequence)
    if "l2" in other:
        for key, gradient in made.gradients.items():
            role = made.network.roles.get(key)
            is_weight = role is not None and role.name != "bias"
            pull = 0.1 * made.parameters[key] if is_weight else torch.zeros_like(gradient)
            torch.testing.assert_close(gradient, plain.gradients[key] + pull)
    else:
        made.transform()
        assert plain.norm() > 0.01
        assert made.norm() == pytest.approx(0.01, rel=1e-5)
    made.train(sequence, steps=3)
    assert all(parameter.isfinite().all() for parameter in made.parameters.values())


def test_max_norm_projects_what_is_learnt() -> None:
    made = make("gru", weight_norm={}, max_norm={"radius": 0.3})
    before = made.parameters["parametrizations.recurrent_0.original"]
    made.move()
    after = made.parameters["parametrizations.recurrent_0.original"]
    expected = before * (0.3 / before.norm(dim=1, keepdim=True)).clamp(max=1.0)
    torch.testing.assert_close(after, expected)


def test_initial_weights_come_before_and_two_parametrisations_exclude_one_another() -> None:
    fine = "mitigation=orthogonal+spectral_norm+clip_norm"
    assert plan(["task=adding", "architecture=gru", fine]).runs
    for names, message in (
        ("spectral_norm+orthogonal", "name orthogonal before it"),
        ("weight_norm+spectral_norm", "both set the parametrisation"),
        ("orthogonal+orthogonal_parametrisation", "both set the initial weights"),
    ):
        with pytest.raises(BadInput, match=message):
            plan(["task=adding", "architecture=gru", f"mitigation={names}"])


def test_in_float64_the_start_is_that_of_float32_up_to_its_rounding(sequence: Tensor) -> None:
    for name, settings in RULES.items():
        made = make("rnn_tanh", **{name: settings})
        made.network.eval()
        single = made.network(sequence).double()
        double = made.network.double()(sequence.double())
        torch.testing.assert_close(double, single, rtol=1e-4, atol=1e-6)
    rule = discovery.build("mitigation", MemberSpec("weight_norm", {}))
    network = make("rnn_tanh").network
    with torch.no_grad():
        network.get_parameter("readout").zero_()
    rule.prepare(network, SEED, sequence)
    assert not network.tensor("readout").any()  # a row of zeros has no direction, and stays
