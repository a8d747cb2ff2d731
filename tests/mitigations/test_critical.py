"""critical: chi_1 = 1 by another quadrature, and in networks that are wide and deep."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import erf

from bench.mitigations.critical import critical_gain
from bench.records import BadInput
from tests.mitigations.deep import flow, mlp, normal, prepared

FALSE_ALARM = 1e-4
SIGMAS = 4.5

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def activation_and_slope(name: str, z: float) -> tuple[float, float]:
    """Written a second time."""
    if name == "tanh":
        return math.tanh(z), 1 / math.cosh(z) ** 2
    if name == "relu":
        return max(z, 0.0), float(z > 0)
    if name == "selu":
        below = SELU_SCALE * SELU_ALPHA * math.exp(min(z, 0))
        return (SELU_SCALE * z, SELU_SCALE) if z > 0 else (below - SELU_SCALE * SELU_ALPHA, below)
    if name == "gelu":
        phi = (1 + erf(z / math.sqrt(2))) / 2
        return z * phi, phi + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return z, 1.0


def expectation(name: str, which: int, q: float) -> float:
    """E[f^2] (which = 0) or E[f'^2] at a Gaussian of variance q."""

    def integrand(z: float) -> float:
        value = activation_and_slope(name, math.sqrt(q) * z)[which]
        return value**2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return sum(integrate.quad(integrand, *ends, epsabs=1e-11)[0] for ends in ((-10, 0), (0, 10)))


def test_a_critical_point_that_repels_is_refused() -> None:
    with pytest.raises(BadInput, match="critical point of gelu is not stable"):
        critical_gain("gelu", 0.05)
    assert critical_gain("gelu", 0.2) > 1
    assert critical_gain("relu", 0.0) == pytest.approx(math.sqrt(2), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "bias_variance"),
    [("tanh", 0.05), ("tanh", 0.5), ("selu", 0.05), ("selu", 0.5), ("gelu", 0.5)],
)
def test_critical_weights_have_chi_1_of_one_at_a_fixed_point(
    name: str, bias_variance: float
) -> None:
    gain = critical_gain(name, bias_variance)
    q = 1.0
    for _ in range(400):
        after = gain**2 * expectation(name, 0, q) + bias_variance
        if abs(after - q) < 1e-11:
            break
        # Newton's step on the map, whose slope is found by a difference.
        slope = gain**2 * (expectation(name, 0, q + 1e-4) - expectation(name, 0, q - 1e-4)) / 2e-4
        q = max(1e-6, q + (after - q) / (1 - slope))
    assert after == pytest.approx(q, abs=1e-8)
    assert gain**2 * expectation(name, 1, q) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("bias_variance", [0.0, 0.05])
def test_critical_relu_and_linear_units_need_no_fixed_point(bias_variance: float) -> None:
    assert critical_gain("relu", bias_variance) == pytest.approx(math.sqrt(2), abs=1e-6)
    assert critical_gain("linear", bias_variance) == 1
    assert critical_gain("tanh", 0.0) == 1  # the edge of chaos without biases


@pytest.mark.parametrize("activation", ["tanh", "relu", "linear", "selu"])
def test_at_criticality_squared_gradients_of_a_wide_network_keep_their_size(
    activation: str,
) -> None:
    width, depth, settling = 256, 24, 6
    growth = []
    for seed in range(2):
        network, inputs = mlp(activation, depth, width, seed), normal(1, width, seed=seed)
        prepared(network, "critical", inputs, seed, bias_variance=0.05)
        _, gradients = flow(network, inputs)
        growth.append((gradients[:-1] / gradients[1:])[settling:])
    # Of relative variance 3 E[f'^4] / E[f'^2]^2 - 1 over the width, which is 5 for ReLU.
    spread = math.sqrt(5 / (width * np.size(growth)))
    assert np.mean(growth) == pytest.approx(1, abs=SIGMAS * spread)
    assert SIGMAS * spread < 0.12


def test_critical_biases_have_the_variance_asked_for_and_the_readout_none() -> None:
    network = mlp("tanh", 30, 100)
    prepared(network, "critical", normal(1, 100), bias_variance=0.3)
    biases = torch.cat([p for p, role in network.with_role("bias") if role.layer < 30]).double()
    assert stats.kstest(biases.detach() / math.sqrt(0.3), "norm").pvalue > FALSE_ALARM
    assert not network.get_parameter("readout_bias").any()
