"""Gradient flossing, by exponents computed a second time. No setting of it is neutral."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from bench import discovery
from bench.mitigations.gradient_flossing import orthonormalise, stretches
from bench.network import Network
from bench.planning import plan
from bench.records import BadInput, MemberSpec, Signature

TIME, BATCH = 50, 6
INPUTS = torch.rand(TIME, BATCH, 2, generator=torch.Generator().manual_seed(0))


def network_of(gain: float, hidden: int = 32, layers: int = 1, name: str = "rnn_tanh") -> Network:
    settings = {"hidden_size": hidden, "num_layers": layers, "kind": "gaussian", "gain": gain}
    network: Network = discovery.build("architecture", MemberSpec(name, settings)).build(
        Signature(input_size=2, output_size=1)
    )
    network.initialise(seed=0)
    return network


def floss(network: Network, updates: int = 50) -> None:
    spec = MemberSpec("gradient_flossing", {"exponents": 3, "updates": updates, "rate": 1.0})
    discovery.build("mitigation", spec).prepare(network, 0, INPUTS)


def exponents(network: Network, inputs: Tensor, count: int = 3, layer: int = 0) -> np.ndarray:
    """The first Lyapunov exponents by NumPy, in float64, from another frame, QR at every step."""
    names = ("input", "recurrent", "bias")
    weights = [
        [network.get_parameter(f"{n}_{each}").detach().double().numpy() for n in names]
        for each in range(layer + 1)
    ]
    found = np.zeros(count)
    for example in inputs.double().numpy().transpose(1, 0, 2):
        states = [np.zeros(len(bias)) for _, _, bias in weights]
        frame = np.linalg.qr(np.random.default_rng(1).standard_normal((len(states[0]), count)))[0]
        for features in example:
            seen = features
            for index, (from_input, recurrent, bias) in enumerate(weights):
                seen = np.tanh(from_input @ seen + recurrent @ states[index] + bias)
                states[index] = seen
            jacobian = (1 - seen**2)[:, None] * weights[layer][1]
            frame, triangle = np.linalg.qr(jacobian @ frame)
            found += np.log(np.abs(np.diagonal(triangle)))
    return found / inputs.shape[0] / inputs.shape[1]


def test_gram_schmidt_is_a_qr_of_every_example() -> None:
    generator = torch.Generator().manual_seed(0)
    columns = torch.randn(4, 5, 9, generator=generator, dtype=torch.float64)
    columns[1] = columns[0] + 1e-9 * columns[1]  # nearly parallel
    frame, diagonal = orthonormalise(list(columns))
    for example in range(5):
        found = torch.stack([column[example] for column in frame]).numpy()
        np.testing.assert_allclose(found @ found.T, np.eye(4), atol=1e-12)
        triangle = np.linalg.qr(columns[:, example].numpy().T)[1]
        mine = [float(each[example]) for each in diagonal]
        np.testing.assert_allclose(mine, np.abs(np.diagonal(triangle)), rtol=1e-5)


def test_the_stretches_of_a_constant_jacobian_are_its_singular_values() -> None:
    """Of a diagonal matrix the exponents are the logarithms of its largest entries."""
    weight = torch.diag(torch.tensor([3.0, 0.5, 2.0, 0.1], dtype=torch.float64))
    start = [torch.eye(4, dtype=torch.float64)[each].expand(2, 4) for each in (0, 2)]
    factors = stretches(weight, torch.ones(23, 2, 4, dtype=torch.float64), start)
    for each, size in zip(factors, (3.0, 2.0), strict=True):
        assert float(each.log().sum()) / 2 / 23 == pytest.approx(np.log(size))


@pytest.mark.parametrize(("gain", "at_first"), [(2.0, 0.04), (3.0, 0.2)])
def test_the_exponents_come_to_zero_from_chaos(gain: float, at_first: float) -> None:
    network = network_of(gain, hidden=64)
    before = exponents(network, INPUTS)
    others = {n: p.detach().clone() for n, p in network.named_parameters() if "recurrent" not in n}
    floss(network)
    after = exponents(network, INPUTS)
    assert before.max() > at_first
    assert np.abs(after).max() < 0.1
    fresh = torch.rand(3 * TIME, 4, 2, generator=torch.Generator().manual_seed(9))
    assert np.abs(exponents(network, fresh)).max() < 0.1  # on other and longer sequences
    for name, parameter in others.items():
        assert torch.equal(network.get_parameter(name), parameter)


def test_the_exponents_come_to_zero_from_where_gradients_vanish() -> None:
    network = network_of(gain=0.5)
    assert exponents(network, INPUTS).max() < -0.5
    floss(network)
    assert np.abs(exponents(network, INPUTS)).max() < 0.1


def test_every_layer_is_flossed() -> None:
    network = network_of(gain=0.5, hidden=24, layers=2)
    before = [exponents(network, INPUTS, layer=layer) for layer in range(2)]
    floss(network)
    for layer in range(2):
        assert before[layer].max() < -0.5
        assert np.abs(exponents(network, INPUTS, layer=layer)).max() < 0.2


def test_the_first_step_is_down_the_slope_of_the_exponents() -> None:
    """Against finite differences, of a network whose slopes do not depend on its states."""
    network = network_of(gain=1.5, hidden=6, name="rnn_relu")
    with torch.no_grad():  # all units active: linear
        network.get_parameter("bias_0").fill_(5.0)
        network.get_parameter("recurrent_0").abs_()
    start = network.get_parameter("recurrent_0").detach().double().numpy()

    def loss(weight: np.ndarray) -> float:
        frame = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 3)))[0]
        total = np.zeros(3)
        for time in range(2000):
            frame, triangle = np.linalg.qr(weight @ frame)
            total += np.log(np.abs(np.diagonal(triangle))) * (time >= 100)
        return float(((total / 1900) ** 2).sum())

    floss(network, updates=1)
    step = network.get_parameter("recurrent_0").detach().double().numpy() - start
    size = 1e-3 / np.abs(step).max()
    assert loss(start + size * step) < loss(start) < loss(start - size * step)


def test_what_is_not_finite_ends_it_and_is_left_as_it_is() -> None:
    network = network_of(gain=2.0, hidden=6)
    with torch.no_grad():
        network.get_parameter("recurrent_0")[1, 2] = float("nan")
    before = network.get_parameter("recurrent_0").detach().clone()
    floss(network, updates=3)
    assert torch.equal(network.get_parameter("recurrent_0").nan_to_num(7), before.nan_to_num(7))


def test_it_comes_after_initial_weights_and_needs_a_plain_recurrence() -> None:
    assert plan(["task=adding", "architecture=rnn_tanh", "mitigation=orthogonal+gradient_flossing"])
    for architecture, names, message in (
        ("lstm", "gradient_flossing", "acts on the plain recurrence, which lstm"),
        ("rnn_tanh", "gradient_flossing+orthogonal", "name orthogonal before it"),
        ("rnn_tanh", "layer_norm+gradient_flossing", "both set the preactivation"),
    ):
        with pytest.raises(BadInput, match=message):
            plan(["task=adding", f"architecture={architecture}", f"mitigation={names}"])
