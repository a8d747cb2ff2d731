"""Initial weights have the spectra and moments that their kind and gain stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.initial_weights import draw
from bench.seeding import Stream

FALSE_ALARM = 1e-4


def stream(*scope: str | int) -> Stream:
    return Stream("initial weights", *scope, seed=0)


@pytest.mark.parametrize("shape", [(40, 40), (64, 10), (10, 64), (1, 1), (5, 1), (1, 5)])
@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_every_singular_value_of_an_orthogonal_matrix_is_the_gain(
    shape: tuple[int, int], gain: float
) -> None:
    values = np.linalg.svd(draw("orthogonal", shape, gain, stream()), compute_uv=False)
    # Rounding to the grid moves a singular value by less than the norm of the error.
    assert values == pytest.approx([gain] * min(shape), abs=2**-21 * np.sqrt(np.prod(shape)))


def test_the_orthogonal_matrices_are_haar_distributed() -> None:
    """The squares of one entry are Beta(1/2, (n - 1)/2), its signs fair, the angles uniform."""
    matrices = np.stack([draw("orthogonal", (4, 4), 1.0, stream("haar", i)) for i in range(2000)])
    for row, column in ((0, 0), (2, 1), (3, 3)):
        entries = matrices[:, row, column]
        assert stats.kstest(entries**2, stats.beta(0.5, 1.5).cdf).pvalue > FALSE_ALARM
        assert stats.binomtest(int((entries > 0).sum()), 2000).pvalue > FALSE_ALARM
    determinants = np.linalg.det(matrices)
    assert stats.binomtest(int((determinants > 0).sum()), 2000).pvalue > FALSE_ALARM


@pytest.mark.parametrize("shape", [(300, 200), (60000,)])
def test_gaussian_weights_have_variance_gain_squared_over_inputs(shape: tuple[int, ...]) -> None:
    weights = draw("gaussian", shape, 1.5, stream("gaussian"))
    scaled = weights.ravel() * np.sqrt(shape[-1]) / 1.5
    squares = float((scaled**2).sum())
    assert stats.kstest(scaled, "norm").pvalue > FALSE_ALARM
    assert FALSE_ALARM / 2 < stats.chi2.cdf(squares, scaled.size) < 1 - FALSE_ALARM / 2


@pytest.mark.parametrize("gain", [0.7, 2.0])
def test_the_spectral_radius_of_a_square_gaussian_matrix_is_near_the_gain(gain: float) -> None:
    """The circular law. For complex entries |eigenvalue|^2 n are independent Gamma(1..n) (Kostlan
    1992): at n = 250 a radius outside 0.8 to 1.2 has a probability below 1e-8; real entries are
    close to that."""
    for i in range(2):
        matrix = draw("gaussian", (250, 250), gain, stream("circle", i))
        assert 0.8 < np.abs(np.linalg.eigvals(matrix)).max() / gain < 1.2


def test_constants() -> None:
    assert np.array_equal(draw("zeros", (3, 2), 5.0, stream()), np.zeros((3, 2)))
    assert np.array_equal(draw("ones", (3,), 0.5, stream()), np.full(3, 0.5))
    assert np.array_equal(draw("identity", (3, 3), 2.0, stream()), 2 * np.eye(3))
    assert np.array_equal(draw("identity", (2, 3), 1.0, stream()), np.eye(2, 3))


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "orthogonal", "identity", "ones"])
def test_a_gain_of_two_doubles_the_weights(kind: str) -> None:
    one, two = (draw(kind, (8, 8), gain, stream()) for gain in (1.0, 2.0))  # type: ignore[arg-type]
    np.testing.assert_allclose(two, 2 * one, atol=3 * 2**-21)
