"""Initial weights and biases: xavier, he, lsuv, random_walk; for all, what they touch.

Statistical bounds are set so that another seed would fail with a probability below 1e-4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from bench import discovery
from bench.mitigations.random_walk import driftless_gain
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.deep import flow, mlp, normal, prepared
from tests.mitigations.workbench import make

FALSE_ALARM = 1e-4
SIGMAS = 4.5

WEIGHTS = ("input", "recurrent", "hidden", "readout")
SQUARE = ("recurrent", "hidden")
TOUCHED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "xavier": ({}, WEIGHTS),
    "he": ({}, WEIGHTS),
    "lsuv": ({}, WEIGHTS),
    "random_walk": ({}, SQUARE),
    "critical": ({"bias_variance": 0.05}, (*SQUARE, "bias")),
    "forget_bias": ({"value": 1.0}, ("bias",)),
    "chrono": ({"longest": 50}, ("bias",)),
}
"""Name -> settings, and the roles of the parameters that are drawn anew."""
FITTING = {"lsuv": ["mlp"], "random_walk": ["rnn_tanh", "mlp"], "critical": ["rnn_tanh", "mlp"]}
FITTING |= {"forget_bias": ["lstm", "gru"], "chrono": ["lstm", "gru"]}


@pytest.mark.parametrize(
    ("name", "architecture"),
    [(n, a) for n in TOUCHED for a in FITTING.get(n, ["rnn_tanh", "lstm", "gru", "mlp"])],
)
def test_the_parameters_it_is_about_change_and_the_others_keep_their_bits(
    name: str, architecture: str
) -> None:
    settings, roles = TOUCHED[name]
    plain = make(architecture).network
    changed = make(architecture, **{name: settings}).network
    assert changed.sites.keys() == plain.sites.keys()
    acted = set()
    for key, parameter in changed.named_parameters():
        role = changed.roles[key]
        same = torch.equal(parameter, plain.get_parameter(key))
        assert same or role.name in roles, key
        assert not (same and role.name in roles and role.name != "bias"), key
        acted |= set() if same else {role.name}
    assert acted == set(roles) & {role.name for role in plain.roles.values()}


def test_xavier_is_uniform_with_the_variance_between_forward_and_backward() -> None:
    spec = MemberSpec("gru", {"hidden_size": 40, "num_layers": 1, "kind": "gaussian", "gain": 1.0})
    network = discovery.build("architecture", spec).build(Signature(input_size=60, output_size=30))
    prepared(network, "xavier", torch.zeros(1))
    for weight, role in network.with_role(*WEIGHTS):
        for block in weight.detach().double().chunk(len(role.gates)):
            outputs, inputs = block.shape
            bound = math.sqrt(6 / (inputs + outputs))
            assert stats.kstest(block.flatten(), "uniform", (-bound, 2 * bound)).pvalue > (
                FALSE_ALARM / 7
            )
            # (w / a)^2 has mean 1/3 and variance 4/45.
            spread = math.sqrt(4 / 45 / block.numel())
            assert float((block / bound).square().mean()) == pytest.approx(1 / 3, abs=5 * spread)
            assert float(block.abs().max()) <= bound + 2**-21


def test_he_keeps_the_mean_square_of_deep_relu_layers() -> None:
    """Given h, a unit's new square has mean q and variance 5 q^2."""
    width, layers, seeds = 192, 10, 8
    ratios = []
    for seed in range(seeds):
        network, inputs = (
            mlp("relu", layers + 1, width, seed, gain=1.0),
            normal(1, width, seed=seed),
        )
        prepared(network, "he", inputs, seed)
        squares, _ = flow(network, inputs)
        ratios.append(squares[-1] / squares[0])
    spread = math.sqrt(5 * layers / (width * seeds))
    assert np.mean(ratios) == pytest.approx(1, abs=SIGMAS * spread)  # at gain 1: 2^-10


@pytest.mark.parametrize("architecture", ["mlp", "highway_mlp"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_lsuv_gives_every_preactivation_of_the_first_batch_unit_variance(
    architecture: str, activation: str
) -> None:
    settings: dict[str, Any] = {"depth": 20, "hidden_size": 16, "activation": activation}
    settings |= {"kind": "gaussian", "gain": 2.0}
    settings |= {"transform_bias": -1.0} if architecture == "highway_mlp" else {}
    spec = MemberSpec(architecture, settings)
    network: Network = discovery.build("architecture", spec).build(
        Signature(input_size=10, output_size=3)
    )
    network.initialise(0)
    inputs = 7 * normal(32, 10) + 1
    prepared(network, "lsuv", inputs)
    assert len(network.sites) == 0
    seen: dict[int, Tensor] = {}
    network.insert("preactivation", lambda width: torch.nn.Identity())
    for index, module in enumerate(network.sites.values()):
        module.register_forward_hook(lambda m, i, output, index=index: seen.update({index: output}))
    with torch.no_grad():
        outputs = network(inputs)
    assert len(seen) == len(network.sites) >= 20
    for values in (*seen.values(), outputs):
        assert float(values.double().var(correction=0)) == pytest.approx(1, abs=1e-4)
    # Still orthogonal but for the scale.
    for weight, _ in network.with_role("hidden"):
        gram = (weight @ weight.T).detach().double()
        assert torch.allclose(gram, gram[0, 0] * torch.eye(16).double(), atol=1e-4 * gram[0, 0])


def test_lsuv_leaves_a_layer_alone_that_does_not_vary() -> None:
    network = mlp("relu", 3, 8)
    prepared(network, "lsuv", torch.zeros(4, 8))
    for weight, _ in network.with_role("hidden"):
        assert torch.allclose(weight @ weight.T, torch.eye(8), atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "width", "depth", "seeds", "other_gain"),
    [
        ("linear", 8, 60, 16, 1.0),  # these keep the mean of the square
        ("relu", 20, 80, 12, math.sqrt(2)),
        ("tanh", 40, 40, 8, 1.0),
        ("selu", 60, 40, 8, 1.2),
    ],
)
def test_with_random_walk_weights_the_log_of_the_gradient_has_no_drift(
    activation: str, width: int, depth: int, seeds: int, other_gain: float
) -> None:
    """By Student's test, which does find the drift that another gain has."""
    logs: dict[str, list[float]] = {"random walk": [], "other gain": []}
    for seed in range(seeds):
        for name, measured in logs.items():
            network = mlp(activation, depth, width, seed, gain=other_gain)
            inputs = normal(1, width, seed=seed)
            if name == "random walk":
                prepared(network, "random_walk", inputs, seed)
            _, gradients = flow(network, inputs)
            measured.append(math.log(gradients[0] / gradients[-1]))
    assert stats.ttest_1samp(logs["random walk"], 0).pvalue > FALSE_ALARM
    assert stats.ttest_1samp(logs["other gain"], 0).pvalue < FALSE_ALARM


def test_random_walk_uses_the_formulas_of_the_paper_for_linear_and_relu_units() -> None:
    assert driftless_gain("linear", 50, 9, 1.0, False) == pytest.approx(math.exp(0.01), abs=1e-6)
    assert driftless_gain("relu", 50, 9, 1.0, True) == pytest.approx(
        math.sqrt(2) * math.exp(1.2 / 47.6), abs=1e-6
    )
    assert driftless_gain("relu", 2, 9, 1.0, True) == driftless_gain("relu", 6, 9, 1.0, True)
