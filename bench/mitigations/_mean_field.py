"""Wide random layers z' = W f(z) + b in mean-field theory (Poole et al. 2016, arXiv:1606.05340).

W has independent entries of variance gain^2 / width, so every unit of a layer is Gaussian of one
variance q. Float64 NumPy: what is made of it belongs on bench.seeding's grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from torch import Tensor

from bench.kernels.norms import sum_of_squares
from bench.network import Network

Function = Callable[[np.ndarray], np.ndarray]

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017


@dataclass(frozen=True)
class Moments:
    """Of an activation f at a Gaussian of variance q."""

    square: float  # E[f^2]
    slope_2: float  # E[f'^2]
    slope_4: float  # E[f'^4]


def moments(activation: str, q: float) -> Moments:
    """By quadrature, exact to about 1e-12 for q from 0 to 100."""
    values, slopes = FUNCTIONS[activation]
    points = np.sqrt(q) * NODES
    square = slopes(points) ** 2
    return Moments(
        square=float(np.sum(WEIGHTS * values(points) ** 2)),
        slope_2=float(np.sum(WEIGHTS * square)),
        slope_4=float(np.sum(WEIGHTS * square**2)),
    )


def root(increasing: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that increases between `low` and `high` passes zero, by bisection."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)
    return (low + high) / 2


def _density(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def _gauss_legendre() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for E[g(z)], z a standard normal.

    In panels, fine near zero: there f' may jump, and there a saturating f changes.
    """
    edges = np.array([0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 7.0, 12.0])
    nodes, weights = np.polynomial.legendre.leggauss(20)
    halves, middles = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    positive = (middles[:, None] + halves[:, None] * nodes).ravel()
    measure = (halves[:, None] * weights).ravel() * _density(positive)
    return np.concatenate([-positive, positive]), np.concatenate([measure, measure])


NODES, WEIGHTS = _gauss_legendre()

FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "linear": (lambda z: z, np.ones_like),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(np.minimum(z, 0))),
    ),
    "gelu": (lambda z: z * ndtr(z), lambda z: ndtr(z) + z * _density(z)),
}
"""Name -> f and f', those of bench.kernels.elementwise."""


def input_drive(network: Network, inputs: Tensor) -> float:
    """The variance that the inputs [..., features] give to the pre-activations of the first layer,
    on average over what else there is in `inputs`."""
    gain = next(role.gain for _, role in network.with_role("input"))
    return gain**2 * float(sum_of_squares(inputs.float())) / inputs.numel()
