"""The deep feed-forward network."""

from __future__ import annotations

import math
from typing import Any, get_args, get_type_hints

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.architectures.mlp import MLP
from bench.kernels.levels import level
from bench.kernels.tap import Nonfinite, Watch
from bench.network import Network
from bench.records import Signature

SIGNATURE = Signature(input_size=6, output_size=3)
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "selu": F.selu,
    "gelu": F.gelu,
    "linear": torch.clone,
}
with_or_without_sites = pytest.mark.parametrize("with_site", [False, True])


def build(**other: Any) -> Network:
    settings = {"depth": 3, "hidden_size": 4, "activation": "tanh", "kind": "gaussian", "gain": 1.5}
    network = MLP(**settings | other).build(SIGNATURE)  # type: ignore[arg-type]
    network.initialise(seed=0)
    return network


def inputs(batch: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 6, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 4])
@with_or_without_sites
def test_it_is_layers_of_torch_one_after_another(
    activation: str, depth: int, with_site: bool
) -> None:
    network = build(depth=depth, activation=activation).double()
    if with_site:
        network.insert("preactivation", lambda width: nn.Identity())
    network.watch = Watch.GRADIENTS
    outputs = network(inputs())
    (outputs**2).sum().backward()

    weights = {name: p.detach().clone().requires_grad_() for name, p in network.named_parameters()}
    hidden, states = inputs(), []
    for layer in range(depth):
        before = F.linear(hidden, weights[f"weight_{layer}"], weights[f"bias_{layer}"])
        hidden = ACTIVATIONS[activation](before)
        hidden.retain_grad()
        states.append(hidden)
    expected = F.linear(hidden, weights["readout"], weights["readout_bias"])
    (expected**2).sum().backward()

    torch.testing.assert_close(outputs, expected)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, msg=name)
    (tap,) = network.trace
    assert not tap.over_time
    derivatives = torch.stack([state.grad for state in states])
    torch.testing.assert_close(tap.states, torch.stack(states))
    torch.testing.assert_close(tap.total_derivative(), derivatives)
    torch.testing.assert_close(tap.derivative_norms(), derivatives.flatten(1).norm(dim=1))


def test_it_knows_the_activations_that_its_settings_name() -> None:
    assert get_args(get_type_hints(MLP)["activation"]) == tuple(ACTIVATIONS)


@with_or_without_sites
@pytest.mark.parametrize("layer", [0, 2])
def test_the_first_layer_that_is_not_finite_is_found(layer: int, with_site: bool) -> None:
    network = build(depth=4)
    if with_site:
        network.insert("preactivation", lambda width: nn.Identity())
    with torch.no_grad():
        network.get_parameter(f"bias_{layer}")[1] = math.nan
    network(inputs().float())
    assert network.trace[0].nonfinite == Nonfinite(layer, is_nan=True)


def test_both_paths_give_the_same_bits() -> None:
    """A mitigation that does nothing leaves the run as it was."""
    found = []
    for with_site in (False, True):
        network = build(depth=5)
        if with_site:
            network.insert("preactivation", lambda width: nn.Identity())
        outputs = network(inputs().float())
        outputs.square().sum().backward()
        found.append([outputs, *(p.grad for p in network.parameters())])
    for whole, stepwise in zip(*found, strict=True):
        if level() == "torch":
            torch.testing.assert_close(whole, stepwise)
        else:
            assert torch.equal(whole, stepwise)


@pytest.mark.parametrize(("depth", "width"), [(1, 4), (5, 8)])
def test_the_number_of_parameters(depth: int, width: int) -> None:
    network = build(depth=depth, hidden_size=width)
    expected = width * (6 + 1) + (depth - 1) * width * (width + 1) + 3 * (width + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_a_thousand_layers_run_there_and_back() -> None:
    network = build(depth=1000, kind="orthogonal", activation="linear", gain=1.0)
    network.watch = Watch.NORMS
    network(inputs().float()).sum().backward()
    norms = network.trace[0].derivative_norms()
    assert len(norms) == 1000
    assert float(norms[0]) == pytest.approx(float(norms[-1]), rel=0.05)


def test_dropping_a_thousand_layers_of_the_step_path_does_not_recurse() -> None:
    network = build(depth=1000, kind="orthogonal", activation="linear", gain=1.0)
    network.insert("preactivation", lambda width: nn.Identity())
    network(inputs().float()).sum().backward()
    network.trace = []


def test_the_layers_are_roles_of_their_own() -> None:
    roles = build(depth=3).roles
    assert [roles[f"weight_{layer}"].name for layer in range(3)] == ["input", "hidden", "hidden"]
    assert [roles[f"weight_{layer}"].layer for layer in range(3)] == [0, 1, 2]
    assert roles["readout"].gain == 1.0
    assert {roles[f"weight_{layer}"].gain for layer in range(3)} == {1.5}


def test_a_deeper_network_begins_with_the_layers_of_a_shallower_one() -> None:
    shallow, deep = build(depth=2), build(depth=6)
    for layer in range(2):
        name = f"weight_{layer}"
        assert torch.equal(shallow.get_parameter(name), deep.get_parameter(name))
