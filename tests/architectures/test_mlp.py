"""The deep feed-forward network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.architectures.mlp import MLP
from bench.kernels.activations import ACTIVATIONS
from bench.network import Network
from bench.records import Signature

SIGNATURE = Signature(input_size=6, output_size=3)


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
@pytest.mark.parametrize("with_site", [False, True])
def test_it_is_layers_of_torch_one_after_another(
    activation: str, depth: int, with_site: bool
) -> None:
    network = build(depth=depth, activation=activation).double()
    if with_site:
        network.insert("preactivation", lambda width: nn.Identity())
    network.watching = True
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
    for tap, state in zip(network.trace, states, strict=True):
        torch.testing.assert_close(tap.states, state)
        torch.testing.assert_close(tap.total_derivative(), state.grad)


@pytest.mark.parametrize(("depth", "width"), [(1, 4), (5, 8)])
def test_the_number_of_parameters(depth: int, width: int) -> None:
    network = build(depth=depth, hidden_size=width)
    expected = width * (6 + 1) + (depth - 1) * width * (width + 1) + 3 * (width + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_a_thousand_layers_run_there_and_back() -> None:
    network = build(depth=1000, kind="orthogonal", activation="linear", gain=1.0)
    network.watching = True
    network(inputs().float()).sum().backward()
    assert len(network.trace) == 1000
    first, last = (network.trace[layer].total_derivative() for layer in (0, -1))
    assert first.norm() == pytest.approx(float(last.norm()), rel=0.05)
    # Dropping the graph must not recurse a thousand deep.
    del first, last
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
