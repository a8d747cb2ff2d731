"""The acceptance battery of mitigations: every one, on every architecture that it can protect."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from bench import discovery
from bench.mitigations import Mitigation
from bench.network import Network
from bench.records import Signature
from tests.contracts.test_member_files import OF_TASKS
from tests.mitigations.workbench import Workbench
from tests.specs import member

MOMENTS = ("prepare", "observe", "penalty", "gradient_penalty", "transform", "project", "schedule")
MITIGATIONS = discovery.members("mitigation")
ARCHITECTURES = discovery.members("architecture")
each_mitigation = pytest.mark.parametrize("name", MITIGATIONS)
PAIRS = [
    (name, architecture)
    for name, found in MITIGATIONS.items()
    for architecture, other in ARCHITECTURES.items()
    if set(found.facts["needs"]) - OF_TASKS <= set(other.facts["provides"])
]


def build(name: str) -> Mitigation:
    mitigation: Mitigation = discovery.build("mitigation", member("mitigation", name))
    return mitigation


def network_of(architecture: str) -> Network:
    spec = member("architecture", architecture, hidden_size=6)
    network: Network = discovery.build("architecture", spec).build(
        Signature(input_size=2, output_size=1)
    )
    network.initialise(seed=0)
    # The workbench pulls outputs to zero, where one that starts with a readout of zero is already.
    torch.nn.init.constant_(network.get_parameter("readout_bias"), 0.1)
    return network


def an_architecture_for(name: str) -> str:
    return next(architecture for mitigation, architecture in PAIRS if mitigation == name)


def inputs_for(architecture: str) -> Tensor:
    shape = (5, 4, 2) if ARCHITECTURES[architecture].facts["inputs"] == "sequence" else (4, 2)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "architecture"), PAIRS)
def test_every_moment_runs_and_a_small_network_trains_on(name: str, architecture: str) -> None:
    bench = Workbench(network_of(architecture), [build(name)])
    shapes = {key: parameter.shape for key, parameter in bench.parameters.items()}
    before = bench.parameters
    # A rate at which no healthy network of six units explodes, whatever its initial weights.
    bench.train(inputs_for(architecture), steps=4, lr=1e-4)
    assert {key: parameter.shape for key, parameter in bench.parameters.items()} == shapes
    assert all(parameter.isfinite().all() for parameter in bench.parameters.values())
    assert any(not torch.equal(bench.parameters[key], before[key]) for key in before)


@pytest.mark.parametrize(("name", "architecture"), PAIRS)
def test_it_repeats_to_the_bit(name: str, architecture: str) -> None:
    results = []
    for _ in range(2):
        bench = Workbench(network_of(architecture), [build(name)])
        bench.train(inputs_for(architecture), steps=3, lr=0.01)
        results.append(bench.parameters)
    for key, parameter in results[0].items():
        assert torch.equal(parameter, results[1][key])


@each_mitigation
def test_it_acts_at_some_moment_unless_it_is_the_control(name: str) -> None:
    rule = type(build(name))
    acts = any(rule.fills_in(moment) for moment in MOMENTS)
    assert acts == ("alone" not in MITIGATIONS[name].facts["claims"])


@each_mitigation
def test_two_runs_share_no_memory(name: str) -> None:
    rule = build(name)
    network = network_of(an_architecture_for(name))
    memories = [rule.start(network, 0), rule.start(network, 0)]
    assert memories == [None, None] or memories[0] is not memories[1]
    before = pickle.dumps(memories[1])
    Workbench(network, [rule]).train(inputs_for(an_architecture_for(name)), steps=2)
    # A new run starts as if there had been none.
    again = network_of(an_architecture_for(name))
    assert pickle.dumps(rule.start(again, 0)) == before


@each_mitigation
def test_the_schedule_is_a_factor(name: str) -> None:
    rule = build(name)
    for steps in (1, 10, 1000):
        factors = [rule.schedule(step, steps) for step in range(1, steps + 1)]
        assert all(0 <= factor < math.inf for factor in factors)


@each_mitigation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_penalty_is_a_number_that_torch_can_differentiate(
    name: str, dtype: torch.dtype
) -> None:
    rule, architecture = build(name), an_architecture_for(name)
    network = network_of(architecture).to(dtype)
    network.states_are_read = rule.reads_states
    network(inputs_for(architecture).to(dtype))
    penalty = rule.penalty(network, rule.start(network, 0))
    assert penalty.shape == ()
    assert penalty.isfinite()
    if type(rule).fills_in("penalty"):
        assert penalty.dtype == dtype
        penalty.backward()
        assert any(p.grad is not None and p.grad.any() for p in network.parameters())


def planted(name: str, value: float) -> tuple[Workbench, Any, Tensor]:
    """After one healthy update, a gradient in which one element is `value`."""
    architecture = an_architecture_for(name)
    bench = Workbench(network_of(architecture), [build(name)])
    bench.backward(inputs_for(architecture))
    bench.transform()
    bench.set_gradients(0.01)
    weight = next(parameter for parameter, _ in bench.network.with_role("readout"))
    assert weight.grad is not None
    weight.grad[0, 0] = value
    update = bench.transform()
    return bench, update, weight.grad


@each_mitigation
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_it_does_with_a_gradient_that_is_not_finite_what_it_says(name: str, value: float) -> None:
    _, update, gradient = planted(name, value)
    policy = MITIGATIONS[name].facts["nonfinite"]
    assert update.skip == (policy == "skips")
    if policy == "propagates":
        assert not gradient[0, 0].isfinite()
    if policy == "repairs" and not math.isnan(value):
        assert gradient.isfinite().all()
    if policy == "repairs" and "NaN propagates" in MITIGATIONS[name].doc and math.isnan(value):
        assert gradient[0, 0].isnan()


@each_mitigation
def test_finite_gradients_of_1e20_are_neither_zeroed_nor_spoilt(name: str) -> None:
    bench, update, gradient = planted(name, 1e20)
    assert not update.skip
    assert 0 < float(gradient[0, 0]) <= float(torch.tensor(1e20))
    assert all(other.isfinite().all() for other in bench.gradients.values())


@each_mitigation
@pytest.mark.parametrize("value", [0.0, 1e20, 1e38])
def test_no_finite_gradient_makes_it_fail_or_overflow(name: str, value: float) -> None:
    bench = Workbench(network_of(an_architecture_for(name)), [build(name)])
    bench.set_gradients(value)
    bench.transform()
    assert all(gradient.isfinite().all() for gradient in bench.gradients.values())
