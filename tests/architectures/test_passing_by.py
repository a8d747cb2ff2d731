"""The feed-forward networks in which something passes by the weights: residual and highway."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import discovery
from bench.kernels.tap import Nonfinite, Watch
from bench.network import Network
from bench.records import MemberSpec, Signature

SIGNATURE = Signature(input_size=6, output_size=3)
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "selu": F.selu,
    "gelu": F.gelu,
    "linear": torch.clone,
}
NAMES = ["residual_mlp", "highway_mlp"]
Weights = dict[str, Tensor]


def build(name: str, **other: Any) -> Network:
    settings = {"depth": 3, "hidden_size": 4, "activation": "tanh", "kind": "gaussian", "gain": 1.5}
    if name == "highway_mlp":
        settings["transform_bias"] = -1.0
    spec = MemberSpec(name, settings | other)
    network: Network = discovery.build("architecture", spec).build(SIGNATURE)
    network.initialise(seed=0)
    return network


def inputs(batch: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 6, generator=generator, dtype=torch.float64)


def residual(layer: int, h: Tensor, w: Weights, f: Callable[[Tensor], Tensor]) -> Tensor:
    inner = f(F.linear(h, w[f"weight_{layer}"], w[f"bias_{layer}"]))
    return h + F.linear(inner, w[f"second_{layer}"], w[f"second_bias_{layer}"])


def highway(layer: int, h: Tensor, w: Weights, f: Callable[[Tensor], Tensor]) -> Tensor:
    gate = torch.sigmoid(F.linear(h, w[f"transform_{layer}"], w[f"transform_bias_{layer}"]))
    return gate * f(F.linear(h, w[f"weight_{layer}"], w[f"bias_{layer}"])) + (1 - gate) * h


BLOCKS = {"residual_mlp": residual, "highway_mlp": highway}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_its_equation_in_torch(name: str, activation: str) -> None:
    network = build(name, depth=4, activation=activation).double()
    network.watch = Watch.GRADIENTS
    outputs = network(inputs())
    (outputs**2).sum().backward()

    weights = {key: p.detach().clone().requires_grad_() for key, p in network.named_parameters()}
    f = ACTIVATIONS[activation]
    states = [f(F.linear(inputs(), weights["weight_0"], weights["bias_0"]))]
    states[0].retain_grad()
    for layer in range(1, 4):
        states.append(BLOCKS[name](layer, states[-1], weights, f))
        states[-1].retain_grad()
    expected = F.linear(states[-1], weights["readout"], weights["readout_bias"])
    (expected**2).sum().backward()

    torch.testing.assert_close(outputs, expected)
    for key, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[key].grad, msg=key)
    (tap,) = network.trace
    torch.testing.assert_close(tap.states, torch.stack(states))
    torch.testing.assert_close(
        tap.total_derivative(), torch.stack([state.grad for state in states])
    )


@pytest.mark.parametrize(("depth", "width"), [(2, 4), (5, 8)])
@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_parameters(name: str, depth: int, width: int) -> None:
    network = build(name, depth=depth, hidden_size=width)
    layers = 2 * (depth - 1) * width * (width + 1)
    expected = width * (6 + 1) + layers + 3 * (width + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_has_the_matrix_of_the_plain_network_and_another_of_its_own(name: str) -> None:
    network = build(name)
    plain = discovery.build(
        "architecture",
        MemberSpec(
            "mlp",
            {"depth": 3, "hidden_size": 4, "activation": "tanh", "kind": "gaussian", "gain": 1.5},
        ),
    ).build(SIGNATURE)
    plain.initialise(seed=0)
    for key in ("weight_0", "weight_1", "weight_2", "readout"):
        assert torch.equal(network.get_parameter(key), plain.get_parameter(key))
    other = {"residual_mlp": "second_1", "highway_mlp": "transform_1"}[name]
    assert not torch.equal(network.get_parameter(other), network.get_parameter("weight_1"))


def test_the_branches_are_named_in_the_order_of_their_products() -> None:
    network = build("residual_mlp", depth=3)
    assert network.branches == (("weight_1", "second_1"), ("weight_2", "second_2"))


def test_what_stands_at_the_skip_gets_the_branch_before_the_sum() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Dropping(nn.Module):
        def forward(self, branch: Tensor, hidden: Tensor) -> Tensor:
            seen.append((branch, hidden))
            return hidden

    network = build("residual_mlp").double()
    network.insert("skip", lambda width: Dropping())
    network(inputs())
    weights = dict(network.named_parameters())
    (states,) = [tap.states for tap in network.trace]
    assert states is not None
    assert len(seen) == 2
    for layer, (branch, hidden) in enumerate(seen, start=1):
        assert torch.equal(hidden, states[layer])
        block = residual(layer, hidden, weights, torch.tanh)
        torch.testing.assert_close(branch, block - hidden)


@pytest.mark.parametrize("bias", [-3.0, -1.0, 0.0])
def test_the_transform_gates_start_at_their_bias(bias: float) -> None:
    network = build("highway_mlp", transform_bias=bias)
    for key, parameter in network.named_parameters():
        if "bias" in key:
            expected = bias if key.startswith("transform") else 0.0
            assert parameter.tolist() == [expected] * len(parameter)


def test_a_closed_transform_gate_carries_everything() -> None:
    """At b_T = -30 a thousand layers are the identity, and the gradient's norm is kept."""
    network = build("highway_mlp", depth=1000, transform_bias=-30.0).double()
    network.watch = Watch.NORMS
    network(inputs()).sum().backward()
    (tap,) = network.trace
    assert tap.states is not None
    torch.testing.assert_close(tap.states[-1], tap.states[0], rtol=1e-9, atol=1e-9)
    norms = tap.derivative_norms()
    assert float(norms[0]) == pytest.approx(float(norms[-1]), rel=1e-9)


def test_squared_gradients_of_linear_residual_blocks_grow_by_one_plus_their_branchs() -> None:
    """dh_l/dh_{l-1} = 1 + V W with independent Gaussian V, W: E|J^T g|^2 = (1 + gain^4) |g|^2.

    A factor has variance (4 gain^4 + 4 gain^8) / N, below 2 / N at gain 0.7; 3 seeds of 40 layers.
    """
    width, depth, gain, growth = 128, 40, 0.7, []
    for seed in range(3):
        network = build(
            "residual_mlp", depth=depth, hidden_size=width, activation="linear", gain=gain
        )
        network.initialise(seed)
        network.double().watch = Watch.NORMS
        network(inputs(1)).sum().backward()
        squares = network.trace[0].derivative_norms() ** 2
        growth += (squares[:-1] / squares[1:]).tolist()
    spread = math.sqrt(2 / width / len(growth))
    assert np.mean(growth) == pytest.approx(1 + gain**4, abs=4.5 * spread)
    assert 4.5 * spread < gain**4 / 1.5  # tells it from the plain identity


@pytest.mark.parametrize("name", NAMES)
def test_the_first_layer_that_is_not_finite_is_found(name: str) -> None:
    network = build(name, depth=4)
    with torch.no_grad():
        network.get_parameter("bias_2")[1] = math.nan
    network(inputs().float())
    assert network.trace[0].nonfinite == Nonfinite(2, is_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_dropping_a_thousand_layers_does_not_recurse(name: str) -> None:
    network = build(name, depth=1000, gain=0.1)
    network(inputs().float()).sum().backward()
    network.trace = []
