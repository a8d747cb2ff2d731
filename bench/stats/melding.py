"""By how much +1 is more frequent than -1 among pairs: an interval that goes with McNemar's test.

Each pair is +1, -1 or 0: only A diverged or only B did; a win or a loss; or neither. Of n pairs m
are not 0. The difference of the shares, delta = P(+1) - P(-1) = psi * (2 * theta - 1), is the
paired risk difference, and twice the probability of improvement less one: psi is the share of pairs
that are not 0, theta the share of +1 among those. Both have exact (Clopper-Pearson) lower and upper
confidence distributions; melding takes the product, always with the psi that widens the interval.

The interval leaves 0 out if and only if the exact McNemar (sign) test rejects. It assumes that
pairs are independent and equally distributed. Its coverage is not proved in the paper; summed over
all outcomes it was never below nominal, on either side (docs/statistics.md).

Reference: Fay and Lumbard, Confidence intervals for difference in proportions for matched pairs
compatible with exact McNemar's or sign tests, Statistics in Medicine 40 (2021).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

_ROOTS, _WEIGHTS = np.polynomial.legendre.leggauss(64)
# Gauss-Legendre on [0, 1] after v -> v^4, since the integrands change most near 0: p within 1e-6.
NODES = ((_ROOTS + 1) / 2) ** 4
WEIGHTS = 2 * ((_ROOTS + 1) / 2) ** 3 * _WEIGHTS


@lru_cache(maxsize=4096)
def p_at_most(delta: float, plus: int, minus: int, total: int) -> float:
    """One-sided p of the hypothesis P(+1) - P(-1) <= `delta`; small where it is clearly more.

    `plus` and `minus` of `total` pairs are +1 and -1. Raises ValueError where they cannot be.
    """
    zeros = total - plus - minus
    if min(plus, minus, zeros) < 0 or total == 0:
        raise ValueError(f"{plus} and {minus} are not parts of {total} pairs")
    if delta >= 1:
        return 1.0
    if delta < -1:
        return 0.0
    if plus == 0:  # theta may be 0
        return float(_p_more(-delta, minus, zeros)) if delta < 0 else 1.0
    split = betainc(plus, minus + 1, (1 + delta) / 2)  # theta is below what psi = 1 would need
    if delta < 0:
        theta = betaincinv(plus, minus + 1, split * (1 - NODES))
        share = np.clip(delta / np.minimum(2 * theta - 1, -1e-300), 0.0, 1.0)
        return float(split * (_p_more(share, plus + minus, zeros) @ WEIGHTS))
    theta = betaincinv(plus, minus + 1, split + (1 - split) * NODES)
    share = np.clip(delta / np.maximum(2 * theta - 1, 1e-300), 0.0, 1.0)
    less = betainc(plus + minus, zeros + 1, share)
    return float(split + (1 - split) * (less @ WEIGHTS))


def _p_more(share: float | np.ndarray, nonzero: int, zeros: int) -> float | np.ndarray:
    """P(psi >= `share`) under psi's upper confidence distribution, Beta(nonzero + 1, zeros)."""
    if zeros == 0:  # all pairs differ: psi may be 1
        return np.ones_like(share)
    p: np.ndarray = 1 - betainc(nonzero + 1, zeros, share)
    return p


@lru_cache(maxsize=4096)
def melded_interval(
    plus: int, minus: int, total: int, confidence: float = 0.95
) -> tuple[float, float]:
    """(low, high) for P(+1) - P(-1); each end errs with at most half of 1 - `confidence`.

    Without a pair that differs it is Clopper-Pearson's limit for 0 of n, on both sides. Raises
    ValueError like p_at_most.

    >>> [round(end, 3) for end in melded_interval(0, 0, 10)]
    [-0.308, 0.308]
    """
    tail = (1 - confidence) / 2
    return _low(plus, minus, total, tail), -_low(minus, plus, total, tail)


def _low(plus: int, minus: int, total: int, tail: float) -> float:
    def excess(delta: float) -> float:
        return p_at_most(delta, plus, minus, total) - tail

    return -1.0 if excess(-1.0) >= 0 else float(brentq(excess, -1.0, 1.0, xtol=1e-10))  # type: ignore[no-untyped-call]
