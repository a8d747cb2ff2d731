"""Deep networks of finite width, and deep networks with batch normalisation.

Statistical bounds are set so that other seeds would fail with a probability below 1e-4.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import polygamma, psi
from scipy.stats import binom

from bench import discovery
from bench.architectures.mlp import MLP
from bench.records import MemberSpec, Signature
from tests.mitigations.deep import flow, mlp, normal

SIGMAS = 4.5


def logs(activation: str, gain: float, width: int, depth: int, seeds: int) -> np.ndarray:
    """log |dL/dh_1|^2 / |dL/dh_depth|^2 of networks with different weights."""
    found = []
    for seed in range(seeds):
        network = mlp(activation, depth, width, seed, gain=gain)
        _, gradients = flow(network, normal(1, width, seed=seed))
        found.append(math.log(gradients[0] / gradients[-1]))
    return np.array(found)


def relu_moments(width: int) -> tuple[float, float]:
    """Mean and variance of log |g_{l-1}|^2 / |g_l|^2 at weights of variance 2 / width.

    The units that are on are independent fair coins, independent of the rest (Hanin & Nica 2018):
    with K of them on, the ratio is 2 / width times a chi-squared of K degrees.
    """
    count = np.arange(1, width + 1)
    chance = binom.pmf(count, width, 0.5)
    chance /= chance.sum()
    means = np.log(4 / width) + psi(count / 2)
    mean = float(chance @ means)
    return mean, float(chance @ (polygamma(1, count / 2) + (means - mean) ** 2))


@pytest.mark.parametrize(("width", "depth"), [(16, 17), (24, 25), (32, 9)])
def test_the_spread_of_relu_gradients_grows_with_the_sum_of_inverse_widths(
    width: int, depth: int
) -> None:
    """Hanin 2018: not depth but beta = sum of 1/width decides; log|g|^2 has variance near 5 beta
    and mean near -5/2 beta, while the mean of |g|^2 is kept."""
    seeds, beta = 150, (depth - 1) / width
    measured = logs("relu", math.sqrt(2), width, depth, seeds)
    mean, variance = ((depth - 1) * moment for moment in relu_moments(width))
    # To first order in 1 / width.
    assert variance == pytest.approx(5 * beta, rel=6 / width)
    assert mean == pytest.approx(-2.5 * beta, rel=6 / width)
    assert measured.mean() == pytest.approx(mean, abs=SIGMAS * math.sqrt(variance / seeds))
    # Of a nearly normal sample; its variance has a relative deviation of sqrt(2 / n).
    spread = math.sqrt(2 / (seeds - 1))
    assert measured.var(ddof=1) == pytest.approx(variance, rel=1.2 * SIGMAS * spread)


def test_linear_gradients_spread_by_twice_the_sum_of_inverse_widths() -> None:
    width, depth, seeds = 16, 17, 150
    measured = logs("linear", 1.0, width, depth, seeds)
    mean = (depth - 1) * (psi(width / 2) + math.log(2 / width))
    variance = (depth - 1) * float(polygamma(1, width / 2))
    assert variance == pytest.approx(2 * (depth - 1) / width, rel=0.1)
    assert measured.mean() == pytest.approx(mean, abs=SIGMAS * math.sqrt(variance / seeds))
    spread = math.sqrt(2 / (seeds - 1))
    assert measured.var(ddof=1) == pytest.approx(variance, rel=1.2 * SIGMAS * spread)


def test_batch_normalised_relu_layers_multiply_squared_gradients_by_pi_over_pi_minus_1() -> None:
    """Yang et al. 2019, arXiv:1902.08129: at any gain, for large batches and wide layers."""
    width, depth, batch, settling = 192, 24, 96, 8
    rule = discovery.build(
        "mitigation", MemberSpec("batch_norm", {"gain": 1.0, "eps": 1e-8, "momentum": 0.1})
    )
    settings = {"depth": depth, "hidden_size": width, "activation": "relu", "kind": "gaussian"}
    rates = []
    for gain in (0.5, 3.0):
        network = MLP(gain=gain, **settings).build(Signature(input_size=width, output_size=1))
        network.initialise(0)
        inputs = normal(batch, width)
        rule.prepare(network, 0, inputs)
        network.train()
        _, gradients = flow(network, inputs)
        rates.append(math.log(gradients[0] / gradients[-settling]) / (depth - settling))
    assert np.exp(rates) == pytest.approx([math.pi / (math.pi - 1)] * 2, rel=0.06)
