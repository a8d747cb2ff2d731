"""Random deep networks against the theory of random matrices, through the mlp itself.

The draws are pinned by their seeds, so a test that passes goes on passing. The bounds are set so
that other seeds would fail with a probability below 1e-4 (4.5 standard deviations of a nearly
normal quantity, unless said otherwise).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import polygamma, psi

from bench import initial_weights
from bench.architectures.mlp import MLP
from bench.kernels.norms import row_norms
from bench.kernels.tap import Watch
from bench.network import Network
from bench.records import Signature
from bench.seeding import Stream

SIGMAS = 4.5

nodes, weights = np.polynomial.hermite_e.hermegauss(100)  # even: no node on the step of f' at 0
weights = weights / weights.sum()


def expectation(of: Callable[[np.ndarray], np.ndarray]) -> float:
    """E[of(z)] for a standard normal z."""
    return float(weights @ of(nodes))


def mlp(depth: int, width: int, activation: str, gain: float, kind: str, seed: int) -> Network:
    settings = {"depth": depth, "hidden_size": width, "activation": activation, "kind": kind}
    network = MLP(gain=gain, **settings).build(Signature(input_size=width, output_size=1))
    network.initialise(seed)
    return network.double()


def flow(network: Network, inputs: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(|h_l|^2, |dL/dh_l|^2) of every layer, where L is the sum of the outputs."""
    network.watch = Watch.NORMS
    network(inputs).sum().backward()
    (tap,) = network.trace
    assert tap.states is not None
    return row_norms(tap.states.flatten(1)).numpy() ** 2, tap.derivative_norms().numpy() ** 2


def one_input(width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("gain", [0.9, 1.0, 1.2])
def test_in_a_linear_network_of_orthogonal_layers_every_layer_scales_by_the_gain(
    gain: float,
) -> None:
    squares, gradients = flow(
        mlp(100, 24, "linear", gain, "orthogonal", seed=0), one_input(24, seed=1)
    )
    layers = np.arange(100)
    # The weights stand on a grid of 2^-20, so the hundred layers are orthogonal to 1e-5 each.
    np.testing.assert_allclose(squares, squares[0] * gain ** (2.0 * layers), rtol=1e-3)
    np.testing.assert_allclose(gradients, gradients[-1] * gain ** (2.0 * layers[::-1]), rtol=1e-3)


def test_relu_layers_of_gain_root_two_keep_the_mean_square() -> None:
    """He et al. 2015. Given h, a unit's new square has mean q and variance 5 q^2."""
    width, layers, seeds = 192, 10, 10
    ratios = []
    for seed in range(seeds):
        network = mlp(layers + 1, width, "relu", math.sqrt(2), "gaussian", seed)
        squares, _ = flow(network, one_input(width, seed))
        ratios.append(squares[-1] / squares[0])
    spread = math.sqrt(5 * layers / (width * seeds))
    assert np.mean(ratios) == pytest.approx(1, abs=SIGMAS * spread)


def fixed_point(gain: float) -> float:
    """The variance q of a tanh network's pre-activations that maps onto itself (Poole et al.)."""
    q = 1.0
    for _ in range(500):
        q = gain**2 * expectation(lambda z, q=q: np.tanh(math.sqrt(q) * z) ** 2)
    return q


def slope(activation: str, gain: float) -> Callable[[np.ndarray], np.ndarray]:
    """f' at a pre-activation of the stationary distribution, as a function of a standard normal."""
    if activation == "tanh":
        root = math.sqrt(fixed_point(gain))
        return lambda z: 1 - np.tanh(root * z) ** 2
    return {"relu": lambda z: z > 0, "linear": np.ones_like}[activation]


@pytest.mark.parametrize(
    ("activation", "gain"), [("tanh", 1.3), ("tanh", 2.0), ("relu", 1.2), ("linear", 1.1)]
)
def test_squared_gradients_grow_by_chi_1_per_layer(activation: str, gain: float) -> None:
    """Schoenholz et al. 2017, eq. 12: chi_1 = gain^2 E[f'(z)^2]."""
    width, depth, settling, seeds = 256, 32, 6, 2  # the first layers come to the fixed point
    derivative = slope(activation, gain)
    square = expectation(lambda z: derivative(z) ** 2.0)
    growth = []
    for seed in range(seeds):
        network = mlp(depth, width, activation, gain, "gaussian", seed)
        _, gradients = flow(network, one_input(width, seed))
        growth.append((gradients[:-1] / gradients[1:])[settling:])
    # The square of a Gaussian weight times f'^2 has relative variance 3 E[f'^4] / E[f'^2]^2 - 1.
    variance = 3 * expectation(lambda z: derivative(z) ** 4.0) / square**2 - 1
    spread = math.sqrt(variance / (width * np.size(growth)))
    assert np.mean(growth) / (gain**2 * square) == pytest.approx(1, abs=SIGMAS * spread)
    assert SIGMAS * spread < 0.1  # tells the gain from one that is 5 percent off


@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_products_of_gaussian_matrices_grow_at_newmans_exponent(gain: float) -> None:
    """Newman 1986: log|W_L ... W_1 x| / L -> (psi(N/2) + log(2/N)) / 2 + log gain.

    At N = 8 this is 0.065 below log gain: a mean-field answer would not do.
    """
    width, depth, seeds = 8, 1000, 2
    exponent = (psi(width / 2) + math.log(2 / width)) / 2 + math.log(gain)
    growth: dict[str, list[float]] = {"states": [], "gradients": []}
    for seed in range(seeds):
        network = mlp(depth, width, "linear", gain, "gaussian", seed)
        squares, gradients = flow(network, one_input(width, seed))
        growth["states"].append(math.log(squares[-1] / squares[0]) / 2 / (depth - 1))
        growth["gradients"].append(math.log(gradients[0] / gradients[-1]) / 2 / (depth - 1))
    spread = math.sqrt(polygamma(1, width / 2) / 4 / (depth * seeds))
    for rates in growth.values():
        assert np.mean(rates) == pytest.approx(exponent, abs=SIGMAS * spread)
    assert SIGMAS * spread < 0.03


def test_the_whole_spectrum_of_exponents_is_newmans() -> None:
    """The i-th exponent is (psi((N - i + 1) / 2) + log 2) / 2 for unit variance."""
    width, depth = 4, 3000
    frame, logs = np.eye(width), np.zeros((depth, width))
    for layer in range(depth):
        stream = Stream("initial weights", "spectrum", layer, seed=0)
        matrix = initial_weights.draw("gaussian", (width, width), math.sqrt(width), stream)
        frame, triangle = np.linalg.qr(matrix @ frame)
        logs[layer] = np.log(np.abs(np.diagonal(triangle)))
    halves = (width - np.arange(width)) / 2
    spread = np.sqrt(polygamma(1, halves) / 4 / depth)
    expected = (psi(halves) + math.log(2)) / 2
    np.testing.assert_array_less(np.abs(logs.mean(axis=0) - expected), SIGMAS * spread)
