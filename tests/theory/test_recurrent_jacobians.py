"""Plain recurrent networks whose Jacobians over k steps are known: powers of the recurrent matrix.

With a readout of I, one example for each output and L = sum of y_ii, dL/dh_T is the identity, and
what the backward pass leaves at h_{T-k} is the Jacobian dh_T/dh_{T-k} itself, row by row.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from bench import discovery
from bench.kernels.tap import Watch
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.deep import normal


def network_with(recurrent: torch.Tensor, architecture: str = "rnn_linear") -> Network:
    size = len(recurrent)
    settings = {"hidden_size": size, "num_layers": 1, "kind": "gaussian", "gain": 1.0}
    network: Network = discovery.build("architecture", MemberSpec(architecture, settings)).build(
        Signature(input_size=1, output_size=size)
    )
    network.initialise(0)
    network.double()
    with torch.no_grad():
        network.get_parameter("recurrent_0").copy_(recurrent)
        network.get_parameter("readout").copy_(torch.eye(size))
    return network


def jacobians(network: Network, steps: int, kick: float = 0.0) -> np.ndarray:
    """dh_T/dh_{T-k} for k = 0 .. steps - 1, [k, hidden, hidden]; `kick` is the first input."""
    size = len(network.get_parameter("readout"))
    inputs = torch.zeros(steps, size, 1).double()
    inputs[0] = kick
    network.watch = Watch.GRADIENTS
    network(inputs)[-1].diagonal().sum().backward()
    return network.trace[0].total_derivative().flip(0).numpy()


def norms(of: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(of, ord=2, axis=(1, 2)))


@pytest.mark.parametrize("architecture", ["rnn_linear", "rnn_tanh"])
def test_the_jacobian_over_k_steps_is_the_power_of_the_matrix(architecture: str) -> None:
    """For tanh units: around the origin, where nothing comes in and every slope is 1."""
    weight = normal(5, 5).double()
    for k, jacobian in enumerate(jacobians(network_with(weight, architecture), 12)):
        expected = np.linalg.matrix_power(weight.numpy(), k)
        np.testing.assert_allclose(jacobian, expected, rtol=1e-10, atol=1e-10 * abs(expected).max())


@pytest.mark.parametrize("gain", [0.7, 1.0, 1.2])
def test_in_the_long_run_a_gradient_grows_by_the_spectral_radius(gain: float) -> None:
    """rho^k <= |W^k| <= cond(V) rho^k, V the eigenvectors: log|W^k| / k tends to log rho."""
    weight = gain * normal(20, 20, seed=1).double() / math.sqrt(20)
    values, vectors = np.linalg.eig(weight.numpy())
    radius, condition = np.abs(values).max(), np.linalg.cond(vectors)
    k = 400
    measured = math.log(norms(jacobians(network_with(weight), k + 1))[k])
    assert k * math.log(radius) - 1e-6 <= measured <= k * math.log(radius) + math.log(condition)
    assert math.log(condition) / k < 0.02


@pytest.mark.parametrize("architecture", ["rnn_tanh", "rnn_relu", "rnn_linear"])
def test_below_a_largest_singular_value_of_one_every_gradient_shrinks(architecture: str) -> None:
    """Pascanu et al. 2013: sufficient to vanish, whatever the inputs, as |f'| <= 1."""
    weight = normal(8, 8, seed=2).double()
    weight *= 0.95 / float(torch.linalg.matrix_norm(weight, 2))
    sizes = norms(jacobians(network_with(weight, architecture), 60, kick=3.0))
    assert all(earlier <= 0.95 * later * (1 + 1e-12) for later, earlier in pairwise(sizes))
    assert sizes[-1] <= 0.95**59


def test_a_largest_singular_value_above_one_is_necessary_to_explode_and_not_sufficient() -> None:
    """A sheared half of the identity: W^k = 2^-k [[1, 2 k s], [0, 1]] grows, and then vanishes."""
    shear = 10.0
    weight = torch.tensor([[0.5, shear], [0.0, 0.5]]).double()
    found = jacobians(network_with(weight), 60)
    for k in range(60):
        expected = 0.5**k * np.array([[1, 2 * k * shear], [0, 1]])
        np.testing.assert_allclose(found[k], expected, rtol=1e-12)
    sizes = norms(found)
    assert sizes.max() == sizes[[1, 2]].max() > 10
    assert sizes[-1] < 1e-12


def test_below_the_edge_of_chaos_a_tanh_network_forgets_by_its_spectral_radius() -> None:
    """The state falls to the origin, where the slopes are 1."""
    weight = 0.8 * normal(60, 60, seed=3).double() / math.sqrt(60)
    radius = np.abs(np.linalg.eigvals(weight.numpy())).max()
    sizes = norms(jacobians(network_with(weight, "rnn_tanh"), 301, kick=1.0))
    # Of the last 150 steps back, from a state that is at the origin already.
    assert math.log(sizes[200] / sizes[100]) / 100 == pytest.approx(math.log(radius), abs=0.02)


@pytest.mark.parametrize(("gain", "sign"), [(0.8, -1), (1.6, 1), (2.5, 1)])
def test_a_random_tanh_network_is_chaotic_above_gain_1(gain: float, sign: int) -> None:
    """Sompolinsky, Crisanti & Sommers 1988: the largest Lyapunov exponent changes sign at 1."""
    size, steps = 150, 250
    for seed in (0, 1):
        weight = gain * normal(size, size, seed=seed).double() / math.sqrt(size)
        network = network_with(weight, "rnn_tanh")
        sizes = network_norms(network, steps)
        assert sign * math.log(sizes[-1] / sizes[50]) / (steps - 51) > 0.02


def network_norms(network: Network, steps: int) -> np.ndarray:
    """|dL/dh_{T-k}| of one trajectory, L the sum of the states at its end."""
    inputs = torch.zeros(steps, 1, 1).double()
    inputs[0] = 1.0
    network.watch = Watch.NORMS
    network(inputs).sum().backward()
    return network.trace[0].derivative_norms().flip(0).numpy()
