"""Print the coefficients of bench/kernels/source/functions.h: Chebyshev fits with 60 digits.

python scripts/fit_polynomials.py [REAL_BITS]. Each fit says the largest error that it leaves, in
units of the last place of what it is part of, before any rounding of the arithmetic.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import mpmath
from mpmath import mp, mpf

mp.dps = 60
Function = Callable[[mpf], mpf]


def fit(function: Function, low: mpf, high: mpf, degree: int) -> list[mpf]:
    """Coefficients, constant first, of the Chebyshev interpolant of `function` on [low, high]."""
    return list(reversed(mpmath.chebyfit(function, [low, high], degree + 1)))


def expm1_tail(r: mpf) -> mpf:
    """(exp(r) - 1 - r) / r^2."""
    return mpmath.nsum(lambda k: r**k / mpmath.factorial(k + 2), [0, 40])


def log_tail(z: mpf) -> mpf:
    """(2 atanh(s) - 2 s) / s^3 at z = s^2."""
    return mpmath.fsum(2 * z**k / (2 * k + 3) for k in range(40))


POLE = mpf("3.75")  # Schonfelder 1978: maps [0, inf) to [-1, 1) and keeps the coefficients small


def erfcx_scaled(t: mpf) -> mpf:
    """(1 + 2 u) exp(u^2) erfc(u) at t = (u - POLE) / (u + POLE)."""
    if t == 1:
        return 2 / mpmath.sqrt(mpmath.pi)
    u = POLE * (1 + t) / (1 - t)
    if u > 1e4:  # its asymptotic series: exp(u^2) is beyond any use
        terms = sum((-1) ** k * mpmath.fac2(2 * k - 1) / (2 * u * u) ** k for k in range(8))
        return (1 + 2 * u) / (u * mpmath.sqrt(mpmath.pi)) * terms
    return (1 + 2 * u) * mpmath.exp(u * u) * mpmath.erfc(u)


def show(name: str, coefficients: list[mpf], error: mpf, ulp: mpf) -> None:
    print(f"{name}  (error {mpmath.nstr(error / ulp, 3)} ulp)")
    print("    " + ", ".join(mpmath.nstr(c, 20) for c in coefficients))


def largest_error(
    function: Function, coefficients: list[mpf], low: mpf, high: mpf, weight: Function
) -> mpf:
    points = [low + (high - low) * k / 500 for k in range(501)]
    return max(abs(function(x) - mpmath.polyval(coefficients[::-1], x)) * weight(x) for x in points)


def main(bits: int) -> None:
    ulp = mpf(2) ** (-24 if bits == 32 else -53)
    half = mpmath.log(2) / 2 * mpf("1.0001")
    tail = fit(expm1_tail, -half, half, 4 if bits == 32 else 9)
    show("EXPM1", tail, largest_error(expm1_tail, tail, -half, half, lambda r: r * r), ulp)
    top = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2 * mpf("1.0001")
    logs = fit(log_tail, mpf(0), top, 2 if bits == 32 else 6)
    show("LOG", logs, largest_error(log_tail, logs, mpf(0), top, lambda z: z), ulp)
    erfc = fit(erfcx_scaled, mpf(-1), mpf(1), 11 if bits == 32 else 26)
    show("ERFC", erfc, largest_error(erfcx_scaled, erfc, mpf(-1), mpf(1), lambda _: mpf(1)), ulp)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
