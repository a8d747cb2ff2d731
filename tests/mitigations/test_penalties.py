"""Penalties: each adds to the gradient what its formula, written a second time in torch, says."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.workbench import Workbench, make

WEIGHTS = ("input", "recurrent", "hidden", "readout")
OF_WEIGHTS = ("l1", "soft_orthogonality", "spectral_penalty")
OF_STATES = ("norm_stabiliser", "activation_regularisation", "temporal_activation_regularisation")
ALL = (*OF_WEIGHTS, *OF_STATES, "omega")
FITTING = dict.fromkeys(OF_WEIGHTS, ("rnn_tanh", "lstm", "gru", "mlp"))
FITTING |= dict.fromkeys(OF_STATES, ("rnn_tanh", "lstm", "gru")) | {"omega": ("rnn_tanh",)}
PAIRS = [(name, architecture) for name in ALL for architecture in FITTING[name]]


def inputs_for(architecture: str, sequence: Tensor) -> Tensor:
    return sequence[0] if architecture == "mlp" else sequence


@pytest.mark.parametrize(("name", "architecture"), PAIRS)
def test_a_coefficient_of_zero_leaves_training_alone_to_the_bit(
    name: str, architecture: str, sequence: Tensor
) -> None:
    finals = []
    for settings in ({}, {name: {"coefficient": 0.0}}, {name: {"coefficient": 0.05}}):
        bench = make(architecture, **settings)
        bench.train(inputs_for(architecture, sequence), steps=10)
        finals.append(bench.parameters)
    plain, neutral, acting = finals
    assert all(torch.equal(plain[key], neutral[key]) for key in plain)
    assert any(not torch.equal(plain[key], acting[key]) for key in plain)


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_a_coefficient_of_zero_hides_weights_that_overflow_when_squared(name: str) -> None:
    bench = make(**{name: {"coefficient": 0.0}})
    with torch.no_grad():
        bench.network.get_parameter("recurrent_0").fill_(3e38)
    assert float(bench.mitigations[0].penalty(bench.network, bench.memories[0])) == 0


def l1(weight: Tensor) -> Tensor:
    return weight.abs().sum()


def soft_orthogonality(weight: Tensor) -> Tensor:
    return (weight.T @ weight - torch.eye(len(weight)).double()).square().sum()


def spectral_penalty(weight: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(weight, 2) ** 2 / 2


FORMULAS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[str, ...]]] = {
    "l1": (l1, WEIGHTS),
    "soft_orthogonality": (soft_orthogonality, ("recurrent", "hidden")),
    "spectral_penalty": (spectral_penalty, WEIGHTS),
}
"""Name -> what is added up over the gates' blocks of the matrices of these roles."""


def added(name: str, architecture: str, inputs: Tensor) -> tuple[Workbench, dict[str, Tensor]]:
    """What `name` adds to the gradients at coefficient 0.3, float64."""
    bench, plain = make(architecture, **{name: {"coefficient": 0.3}}), make(architecture)
    for each in (bench, plain):
        each.network.double()
    if name == "spectral_penalty":  # begin where the power iteration ends
        for key, vector in bench.memories[0].items():
            weight, gate = key.split(" ")
            gates = bench.network.roles[weight].gates
            block = bench.parameters[weight].chunk(len(gates))[gates.index(gate)]
            vector[:] = torch.linalg.svd(block)[2][0]
    for each in (bench, plain):
        each.backward(inputs)
    return bench, {key: bench.gradients[key] - plain.gradients[key] for key in plain.gradients}


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "gru", "mlp"])
@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_penalties_of_weights(name: str, architecture: str, sequence: Tensor) -> None:
    formula, roles = FORMULAS[name]
    bench, found = added(name, architecture, inputs_for(architecture, sequence).double())
    value = 0.0
    for key, parameter in bench.network.named_parameters():
        role, copy = bench.network.roles[key], parameter.detach().clone().requires_grad_()
        expected = torch.zeros_like(copy)
        if role.name in roles:
            result = sum(formula(block) for block in copy.chunk(len(role.gates)))
            assert isinstance(result, Tensor)
            (expected,) = torch.autograd.grad(result, copy)
            value += float(result.detach())
        torch.testing.assert_close(found[key], 0.3 * expected, rtol=1e-8, atol=1e-10)
    penalty = bench.mitigations[0].penalty(bench.network, bench.memories[0])
    assert float(penalty.detach()) == pytest.approx(0.3 * value, rel=1e-10)


@pytest.mark.parametrize("name", ["norm_stabiliser", *OF_STATES[1:]])
@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "gru"])
@pytest.mark.parametrize("stepwise", [False, True])
def test_penalties_of_states(
    name: str, architecture: str, stepwise: bool, sequence: Tensor
) -> None:
    """Against torch.nn's own recurrent layers, two of them, and autograd."""
    network = two_layers(architecture)
    if stepwise:
        network.insert("state", lambda width: nn.Identity())
    rule = discovery.build("mitigation", MemberSpec(name, {"coefficient": 0.7}))
    network.states_are_read = True
    inputs = sequence.double()
    network(inputs)
    penalty = rule.penalty(network, None)
    penalty.backward()

    twin, first, second = states_of_torch(architecture, network, inputs)
    if name == "activation_regularisation":
        expected = 0.7 * second.square().mean()
    elif name == "temporal_activation_regularisation":
        expected = 0.7 * (second[1:] - second[:-1]).square().mean()
    else:
        norms = [layer.norm(dim=-1) for layer in (first, second)]
        expected = 0.7 * sum((n[1:] - n[:-1]).square().mean() for n in norms)  # type: ignore[assignment]
    expected.backward()
    assert float(penalty.detach()) == pytest.approx(float(expected.detach()), rel=1e-10)
    for layer in (0, 1):
        for ours, theirs in (("input", "weight_ih_l0"), ("recurrent", "weight_hh_l0")):
            torch.testing.assert_close(
                network.get_parameter(f"{ours}_{layer}").grad,
                twin[layer].get_parameter(theirs).grad,
                rtol=1e-9,
                atol=1e-12,
            )


def two_layers(architecture: str) -> Network:
    settings = {"hidden_size": 5, "num_layers": 2, "kind": "gaussian", "gain": 1.3}
    member = discovery.build("architecture", MemberSpec(architecture, settings))
    network: Network = member.build(Signature(input_size=2, output_size=1))
    network.initialise(0)
    return network.double()


def states_of_torch(
    architecture: str, network: Network, inputs: Tensor
) -> tuple[list[nn.Module], Tensor, Tensor]:
    """The layers by torch.nn, with copies of the weights, and the states of both."""
    kind = {"rnn_tanh": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[architecture]
    layers, states = [], [inputs]
    for layer in (0, 1):
        built = kind(states[-1].shape[-1], 5).double()
        with torch.no_grad():
            built.weight_ih_l0.copy_(network.get_parameter(f"input_{layer}"))
            built.weight_hh_l0.copy_(network.get_parameter(f"recurrent_{layer}"))
            built.bias_ih_l0.zero_()
            built.bias_hh_l0.zero_()
        layers.append(built)
        states.append(built(states[-1])[0])
    return layers, states[1], states[2]


class Doubled(nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        return 2 * value


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_what_a_parametrisation_computes_is_penalised(name: str) -> None:
    formula, _ = FORMULAS[name]
    bench = make(**{name: {"coefficient": 1.0}})
    bench.network.reparametrise("recurrent_0", Doubled())
    bench.network.double()
    rule, network = bench.mitigations[0], bench.network
    memory = rule.start(network, 0)
    for _ in range(300):
        network.zero_grad()
        rule.penalty(network, memory).backward()
    original = network.get_parameter("parametrizations.recurrent_0.original")
    copy = original.detach().clone().requires_grad_()
    formula(2 * copy).backward()
    torch.testing.assert_close(original.grad, copy.grad, rtol=1e-8, atol=1e-10)


def test_the_power_iteration_goes_on_from_update_to_update_and_never_overshoots() -> None:
    bench = make(spectral_penalty={"coefficient": 2.0})
    network = bench.network.double()
    rule = bench.mitigations[0]
    memory = rule.start(network, 0)
    exact = sum(
        float(torch.linalg.matrix_norm(weight.detach(), 2)) ** 2
        for weight, _ in network.with_role(*WEIGHTS)
    )
    values = [float(rule.penalty(network, memory).detach()) for _ in range(60)]
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(values))
    assert values[0] < 0.999 * exact
    assert values[-1] == pytest.approx(exact, rel=1e-4)
    assert max(values) <= exact * (1 + 1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-25, 1e15])
def test_the_power_iteration_finds_its_way_in_weights_of_any_size(size: float) -> None:
    bench = make(spectral_penalty={"coefficient": 1.0})
    with torch.no_grad():
        for weight, _ in bench.network.with_role(*WEIGHTS):
            weight.mul_(size)
    memory = bench.mitigations[0].start(bench.network, 0)
    for _ in range(3):
        assert bench.mitigations[0].penalty(bench.network, memory).isfinite()
    for vector in memory.values():
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5) or size == 0


@pytest.mark.parametrize(
    ("name", "settings", "change"),
    [
        ("soft_orthogonality", {"coefficient": 0.02}, "distance"),
        ("spectral_penalty", {"coefficient": 0.5}, "largest"),
        ("l1", {"coefficient": 0.05}, "sum"),
    ],
)
def test_descent_on_the_penalty_alone_brings_what_it_promises(
    name: str, settings: dict[str, Any], change: str
) -> None:
    measures: dict[str, Callable[[Tensor], float]] = {
        "distance": lambda w: float(soft_orthogonality(w)),
        "largest": lambda w: float(torch.linalg.matrix_norm(w, 2)),
        "sum": lambda w: float(w.abs().sum()),
    }
    bench = make("rnn_tanh", **{name: settings})
    bench.network.double()
    measure = measures[change]
    before = measure(bench.parameters["recurrent_0"])
    bench.train(torch.zeros(9, 4, 2).double(), steps=300)  # without inputs the loss is zero
    after = measure(bench.parameters["recurrent_0"])
    assert after < before / 5
    assert math.isfinite(after)
