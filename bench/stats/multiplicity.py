"""Many comparisons at once: the p of each, as it is and as it counts in its family.

A family is declared before the runs: every mitigation against none, for one outcome, say. Holm
bounds the probability of any false alarm in it; Benjamini and Hochberg bound the expected share of
false alarms among the alarms, and are for maps of many cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from bench.stats.estimates import Estimate, NotEstimable


@dataclass(frozen=True)
class Family:
    """The p of every member, raw and adjusted, in the order given; what has none says why."""

    name: str
    raw: tuple[Estimate, ...]
    adjusted: tuple[Estimate, ...]

    def __str__(self) -> str:
        rows = zip(self.raw, self.adjusted, strict=True)
        return "\n".join(
            [
                self.name,
                *(
                    str(raw)
                    if isinstance(raw, NotEstimable)
                    else f"p = {raw:.4f}, adjusted {adjusted:.4f}"
                    for raw, adjusted in rows
                ),
            ]
        )


def holm_family(name: str, raw: Sequence[Estimate]) -> Family:
    return _family(f"{name} (Holm)", raw, holm)


def false_discovery_family(name: str, raw: Sequence[Estimate]) -> Family:
    return _family(f"{name} (Benjamini-Hochberg)", raw, benjamini_hochberg)


def _family(
    name: str, raw: Sequence[Estimate], adjust: Callable[[np.ndarray], np.ndarray]
) -> Family:
    """A member that is not estimable made no test: it costs the others nothing."""
    tested = [p for p in raw if not isinstance(p, NotEstimable)]
    adjusted = iter(adjust(np.array(tested, dtype=np.float64)).tolist())
    in_place = (p if isinstance(p, NotEstimable) else next(adjusted) for p in raw)
    return Family(name, tuple(raw), tuple(in_place))


def holm(raw: np.ndarray) -> np.ndarray:
    """p [members] -> adjusted p [members], whatever the dependence between the members.

    The k-th smallest of m is multiplied by m - k + 1, no less than those before it and at most 1.
    Raises ValueError outside [0, 1] and on NaN.

    Reference: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979).

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    raw = _probabilities(raw)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


def benjamini_hochberg(raw: np.ndarray) -> np.ndarray:
    """p [members] -> adjusted p [members], for members that are independent or depend positively.

    Raises ValueError outside [0, 1] and on NaN.

    Reference: Benjamini and Hochberg, Controlling the false discovery rate, Journal of the Royal
    Statistical Society B 57 (1995).
    """
    raw = _probabilities(raw)
    return np.asarray(false_discovery_control(raw)) if raw.size else raw


def _probabilities(raw: np.ndarray) -> np.ndarray:
    raw = np.asarray(raw, dtype=np.float64)
    if raw.ndim != 1 or not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("p is [members], each from 0 to 1")
    return raw
