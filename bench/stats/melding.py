"""By how much more often one thing than its opposite: an exact-in-effect interval for paired data.

Each pair is +1, -1 or 0: A diverged alone or B alone; a win or a loss; or neither. The difference
of the two shares, delta = P(+1) - P(-1), is the paired risk difference, and twice the probability
of improvement less one. With m of n pairs not 0, delta = psi * (2 * theta - 1): psi is the share of
pairs that are not 0, and theta the share of +1 among them. Both have exact (Clopper-Pearson)
confidence distributions, and melding combines them, always with the one that makes the interval
wider. The interval leaves 0 out if and only if the exact McNemar (sign) test rejects.

Assumption: pairs are independent and alike. Coverage is not proved; enumeration over all outcomes
never found it below nominal, on either side (docs/statistics.md).

Reference: Fay and Lumbard, Confidence intervals for difference in proportions for matched pairs
compatible with exact McNemar's or sign tests, Statistics in Medicine 40 (2021), section 3.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

_ROOTS, _WEIGHTS = np.polynomial.legendre.leggauss(64)
NODES = ((_ROOTS + 1) / 2) ** 4
WEIGHTS = 2 * ((_ROOTS + 1) / 2) ** 3 * _WEIGHTS
"""Gauss-Legendre on [0, 1] after v -> v^4: the integrands change most at their 0."""


@cache
def p_not_above(delta: float, plus: float, minus: float, total: float) -> float:
    """One-sided p of "the difference is at most `delta`", small where it is clearly larger.

    `plus` and `minus` of `total` pairs are +1 and -1; they may be fractions (an effective number
    of pairs). Raises ValueError where they are not parts of the total.
    """
    if min(plus, minus) < 0 or total <= 0 or plus + minus > total * (1 + 1e-12):
        raise ValueError(f"{plus} and {minus} are not parts of {total} pairs")
    if delta >= 1:
        return 1.0
    if delta < -1:
        return 0.0
    some = plus + minus
    rest = max(0.0, total - some)
    if delta < 0:
        return _p_below_zero(delta, plus, minus, some, rest)
    if plus == 0:
        return 1.0
    start = betainc(plus, minus + 1, (1 + delta) / 2)
    theta = betaincinv(plus, minus + 1, start + (1 - start) * NODES)
    share = np.minimum(1.0, delta / np.maximum(2 * theta - 1, 1e-300))
    return float(start + (1 - start) * (betainc(some, rest + 1, share) @ WEIGHTS))


def _p_below_zero(delta: float, plus: float, minus: float, some: float, rest: float) -> float:
    if rest == 0:  # psi is at most 1, and may be 1
        return float(betainc(plus, minus + 1, (1 + delta) / 2)) if plus > 0 else 1.0
    if plus == 0:
        return float(1 - betainc(some + 1, rest, -delta))
    stop = betainc(plus, minus + 1, (1 + delta) / 2)
    theta = betaincinv(plus, minus + 1, stop * (1 - NODES))
    share = np.clip(delta / np.minimum(2 * theta - 1, -1e-300), 0.0, 1.0)
    return float(stop * ((1 - betainc(some + 1, rest, share)) @ WEIGHTS))


@cache
def melded_interval(
    plus: float, minus: float, total: float, confidence: float = 0.95
) -> tuple[float, float]:
    """(low, high) for P(+1) - P(-1), each end missed with at most half of 1 - `confidence`.

    >>> [round(end, 3) for end in melded_interval(0, 0, 10)]
    [-0.308, 0.308]
    """
    tail = (1 - confidence) / 2
    low = _lower_limit(plus, minus, total, tail)
    return low, -_lower_limit(minus, plus, total, tail)


def _lower_limit(plus: float, minus: float, total: float, tail: float) -> float:
    def excess(delta: float) -> float:
        return p_not_above(delta, plus, minus, total) - tail

    if excess(-1.0) >= 0:
        return -1.0
    return float(brentq(excess, -1.0, 1.0, xtol=1e-10))
