"""Are the two the same for all that matters? A margin says what matters, before the runs.

That a test does not reject is no sign of sameness. Two one-sided tests are: one that the difference
is not below the margin, one that it is not above. Where instead the difference is clearly outside
the margin the two are different; else the data do not decide. A difference that is clear but within
the margin is equivalence.

Each wrong verdict has probability at most alpha: "equivalent" if the difference is at or beyond the
margin, "different" if it is at or within it.

Reference: Schuirmann, A comparison of the two one-sided tests procedure and the power approach,
Journal of Pharmacokinetics and Biopharmaceutics 15 (1987); Goeman, Solari and Stijnen,
Three-sided hypothesis testing, Statistics in Medicine 29 (2010).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import binom  # type: ignore[attr-defined]

from bench.stats.bounded_mean import bounded_mean_interval, p_mean_at_most
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import mcnemar
from bench.stats.melding import melded_interval, p_at_most
from bench.stats.preference import preference
from bench.stats.sign_flip import checked_differences


class Verdict(StrEnum):
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Equivalence:
    """[low, high] has confidence 1 - 2 alpha and lies between the margins if and only if the
    verdict is equivalent. `p_equivalent` and `p_different` are what is held against alpha."""

    verdict: Verdict
    estimate: float
    low: float
    high: float
    smallest: float  # the margins
    largest: float
    p_equivalent: float
    p_different: float
    num_pairs: int


def risks_within(
    margin: float,
    first: np.ndarray,
    second: np.ndarray,
    present: np.ndarray | None = None,
    *,
    alpha: float = 0.05,
) -> Equivalence | NotEstimable:
    """The rate of the first less that of the second, within +-`margin`; [seeds] as in mcnemar.

    Assumes that seeds are independent. Not estimable without a pair. Raises ValueError unless
    0 < `margin` < 1, and like mcnemar.
    """
    _check(margin, alpha, most=1.0)
    found = mcnemar(first, second, present)
    if isinstance(found, NotEstimable):
        return found
    return _of_signs(found.only_first, found.only_second, found.num_pairs, margin, alpha)


def pooled_risks_within(
    margin: float,
    differences: np.ndarray,
    present: np.ndarray | None = None,
    *,
    alpha: float = 0.05,
) -> Equivalence | NotEstimable:
    """The mean over blocks of the difference of two rates, within +-`margin`.

    `differences` and `present` [blocks, seeds] as in sign_flip, and the seed is the unit: its mean
    over blocks is one observation in [-1, 1], of which bench.stats.bounded_mean needs to know no
    more; one block is risks_within. A pair that is missing where another block has one counts as
    the worst for either side. Not estimable without a pair. Raises ValueError unless
    0 < `margin` < 1, and like sign_flip.
    """
    _check(margin, alpha, most=1.0)
    differences, present = checked_differences(differences, present)
    blocks, seeds = present.any(axis=1), present.any(axis=0)
    if not blocks.any():
        return NotEstimable("no pairs")
    present, values = present[blocks][:, seeds], differences[blocks][:, seeds]
    if len(values) > 1:
        return _of_seed_means(values, present, margin, alpha)
    plus, minus = int((values == 1).sum()), int((values == -1).sum())
    return _of_signs(plus, minus, values.size, margin, alpha)


def preference_within(
    margin: float,
    scored: np.ndarray,
    present: np.ndarray | None = None,
    *,
    alpha: float = 0.05,
) -> Equivalence | NotEstimable:
    """The probability of improvement, within 1/2 +- `margin`; `scored` [seeds] as in preference.

    Assumes that seeds are independent. Not estimable without a pair. Raises ValueError unless
    0 < `margin` < 1/2 and the array is [seeds], and like preference.
    """
    _check(margin, alpha, most=0.5)
    if np.ndim(scored) != 1:
        raise ValueError("scored is [seeds]: equivalence is decided block by block")
    found = preference(scored, present)
    if isinstance(found, NotEstimable):
        return found
    num_pairs = found.wins + found.ties + found.losses
    on_delta = _of_signs(found.wins, found.losses, num_pairs, 2 * margin, alpha)
    return _rescaled(on_delta, lambda delta: (1 + delta) / 2)


def ratio_within(
    factor: float, first: np.ndarray, second: np.ndarray, *, alpha: float = 0.05
) -> Equivalence | NotEstimable:
    """The median over seeds of first / second, between 1 / `factor` and `factor`; [seeds] > 0.

    Sign tests of the log ratios, with order statistics for the interval: exact for any
    distribution of the ratio, infinite or 0 where the pairs are too few for an end. Assumes that
    seeds are independent. Not estimable without a pair. Raises ValueError unless `factor` > 1 and
    all numbers are positive and finite.
    """
    if not factor > 1:
        raise ValueError(f"the factor is {factor}, not above 1")
    _check(math.log(factor), alpha, most=math.inf)
    first, second = (np.asarray(each, dtype=np.float64) for each in (first, second))
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError("both are [seeds], of one length")
    if not all((np.isfinite(each) & (each > 0)).all() for each in (first, second)):
        raise ValueError("a ratio needs positive, finite numbers")
    if first.size == 0:
        return NotEstimable("no pairs")
    logs = np.sort(np.log(first) - np.log(second))
    on_logs = _of_medians(logs, math.log(factor), alpha)
    return _rescaled(on_logs, lambda log: float(np.exp(log)))


def _of_signs(plus: int, minus: int, total: int, margin: float, alpha: float) -> Equivalence:
    low, high = melded_interval(plus, minus, total, 1 - 2 * alpha)
    return _decided(
        (plus - minus) / total,
        (low, high),
        margin,
        alpha,
        above_lower=p_at_most(-margin, plus, minus, total),
        below_upper=p_at_most(-margin, minus, plus, total),
        above_upper=p_at_most(margin, plus, minus, total),
        below_lower=p_at_most(margin, minus, plus, total),
        num_pairs=total,
    )


def _of_seed_means(
    values: np.ndarray, present: np.ndarray, margin: float, alpha: float
) -> Equivalence:
    """`values`, `present` [blocks, seeds], a pair in each block and each seed."""
    estimate = np.where(present, values, 0.0).sum(axis=1) / present.sum(axis=1)
    lowest, highest = (np.where(present, values, worst).mean(axis=0) for worst in (-1.0, 1.0))
    low = bounded_mean_interval(lowest, -1.0, 1.0, 1 - 2 * alpha)
    high = bounded_mean_interval(highest, -1.0, 1.0, 1 - 2 * alpha)
    assert not isinstance(low, NotEstimable)  # there is a seed
    assert not isinstance(high, NotEstimable)
    return _decided(
        float(estimate.mean()),
        (low[0], high[1]),
        margin,
        alpha,
        above_lower=p_mean_at_most(lowest, -margin, -1.0, 1.0),
        below_upper=p_mean_at_most(-highest, -margin, -1.0, 1.0),
        above_upper=p_mean_at_most(lowest, margin, -1.0, 1.0),
        below_lower=p_mean_at_most(-highest, margin, -1.0, 1.0),
        num_pairs=int(present.sum()),
    )


def _of_medians(logs: np.ndarray, margin: float, alpha: float) -> Equivalence:
    """`logs` [seeds], sorted. A value at a margin speaks against whatever is tested there."""

    def p_of(count: int) -> float:
        return float(binom.sf(count - 1, logs.size, 0.5))

    outside = int(binom.ppf(alpha, logs.size, 0.5))  # the most with P(at most so many) <= alpha
    while outside >= 0 and binom.cdf(outside, logs.size, 0.5) > alpha:
        outside -= 1
    ends = (float(logs[outside]), float(logs[-1 - outside])) if outside >= 0 else None
    return _decided(
        float(np.median(logs)),
        ends or (-math.inf, math.inf),
        margin,
        alpha,
        above_lower=p_of(int((logs > -margin).sum())),
        below_upper=p_of(int((logs < margin).sum())),
        above_upper=p_of(int((logs > margin).sum())),
        below_lower=p_of(int((logs < -margin).sum())),
        num_pairs=logs.size,
    )


def _decided(
    estimate: float,
    interval: tuple[float, float],
    margin: float,
    alpha: float,
    *,
    above_lower: float,
    below_upper: float,
    above_upper: float,
    below_lower: float,
    num_pairs: int,
) -> Equivalence:
    """The four are one-sided p, each small where the data are clearly so."""
    p_equivalent = max(above_lower, below_upper)
    p_different = min(1.0, 2 * min(above_upper, below_lower))
    verdict = verdict_of(p_equivalent, p_different, alpha)
    return Equivalence(
        verdict, estimate, *interval, -margin, margin, p_equivalent, p_different, num_pairs
    )


def verdict_of(p_equivalent: float, p_different: float, alpha: float) -> Verdict:
    """At most one of the two is small: a difference is not on both sides of the margin."""
    if p_equivalent <= alpha:
        return Verdict.EQUIVALENT
    return Verdict.DIFFERENT if p_different <= alpha else Verdict.UNDECIDED


def _rescaled(found: Equivalence, scale: Callable[[float], float]) -> Equivalence:
    return replace(
        found,
        estimate=scale(found.estimate),
        low=scale(found.low),
        high=scale(found.high),
        smallest=scale(found.smallest),
        largest=scale(found.largest),
    )


def _check(margin: float, alpha: float, *, most: float) -> None:
    if not (0 < margin < most and 0 < alpha < 0.5):
        raise ValueError(f"margin {margin} or alpha {alpha} is out of range")
