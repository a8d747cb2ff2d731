"""How many seeds, and what cannot be concluded from fewer: for the plan, before any run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom  # type: ignore[attr-defined]

from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import smallest_p

SIZES = {5: "smoke", 10: "screening", 16: "claim", 20: "paper", 30: "leaderboard"}
MOST_SEEDS = 400


@dataclass(frozen=True)
class Limits:
    """What `num_seeds` seeds cannot do, whatever they show.

    `smallest_p_paired` and `smallest_p_unpaired`: of exact two-sided tests of yes-or-no outcomes,
    if all seeds differ in the same way. `hidden_rate`: an event that no seed showed may be this
    frequent (upper 95 % bound). `most_methods`: in a larger family Holm's method cannot find
    anything at alpha, for a single effect, however clear it is; 0 is "not even alone".
    """

    num_seeds: int
    size: str | None
    smallest_p_paired: float
    smallest_p_unpaired: float
    hidden_rate: float
    most_methods: int


def limits(num_seeds: int, *, alpha: float = 0.05) -> Limits:
    """Raises ValueError without a seed.

    References: as for exact_p; Fisher's exact test for two groups of as many seeds; Clopper and
    Pearson (1934) for 0 of n.

    >>> limits(3).smallest_p_unpaired, limits(3).most_methods
    (0.1, 0)
    """
    if num_seeds < 1:
        raise ValueError(f"{num_seeds} seeds")
    paired = smallest_p(num_seeds)
    return Limits(
        num_seeds=num_seeds,
        size=size_name(num_seeds),
        smallest_p_paired=paired,
        smallest_p_unpaired=min(1.0, 2 / math.comb(2 * num_seeds, num_seeds)),
        hidden_rate=1 - 0.05 ** (1 / num_seeds),
        most_methods=int(alpha / paired),
    )


def size_name(num_seeds: int) -> str | None:
    """The largest size that is reached, of smoke, screening, claim, paper, leaderboard."""
    return max(
        ((size, name) for size, name in SIZES.items() if size <= num_seeds), default=(0, None)
    )[1]


def discordant_shares(
    first_rate: float, second_rate: float, correlation: float = 0.0
) -> tuple[float, float]:
    """(only the first, only the second): P of the two kinds of pairs that differ.

    `correlation` is that of the two yes-or-no outcomes of a pair (phi). Raises ValueError where two
    such rates cannot be so correlated.
    """
    if not (0 <= first_rate <= 1 and 0 <= second_rate <= 1):
        raise ValueError(f"{first_rate} or {second_rate} is not a rate")
    spread = math.sqrt(first_rate * (1 - first_rate) * second_rate * (1 - second_rate))
    both = first_rate * second_rate + correlation * spread
    least, most = max(0.0, first_rate + second_rate - 1), min(first_rate, second_rate)
    if not least - 1e-12 <= both <= most + 1e-12:
        raise ValueError(
            f"rates {first_rate:g} and {second_rate:g} cannot have correlation {correlation:g}"
        )
    return max(0.0, first_rate - both), max(0.0, second_rate - both)


def mcnemar_power(
    first_rate: float,
    second_rate: float,
    num_seeds: int,
    *,
    correlation: float = 0.0,
    alpha: float = 0.05,
) -> float:
    """P(exact McNemar p <= `alpha`) if the two rates are the true ones: a sum over all outcomes."""
    shares = discordant_shares(first_rate, second_rate, correlation)
    return float(_powers(*shares, num_seeds, alpha)[-1])


def seeds_needed(
    first_rate: float,
    second_rate: float,
    *,
    correlation: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
    num_methods: int = 1,
) -> int | NotEstimable:
    """The fewest seeds from which on McNemar's test has the `power`, however many more there are.

    With `num_methods` in one family the test is made at alpha / num_methods, Holm's first step:
    enough for this method even if no other one differs. Not estimable for equal rates, nor where
    more than 400 seeds are needed. Raises ValueError for rates, correlations, power and alpha that
    cannot be.
    """
    if not (0 < power < 1 and 0 < alpha < 1 and num_methods >= 1):
        raise ValueError(f"power {power}, alpha {alpha}, {num_methods} methods")
    shares = discordant_shares(first_rate, second_rate, correlation)
    if first_rate == second_rate:
        return NotEstimable("equal rates: there is nothing to find")
    short = np.flatnonzero(_powers(*shares, MOST_SEEDS, alpha / num_methods) < power)
    if short.size and short[-1] == MOST_SEEDS:
        return NotEstimable(f"more than {MOST_SEEDS} seeds")
    return int(short[-1]) + 1


def _powers(only_first: float, only_second: float, most: int, alpha: float) -> np.ndarray:
    """P(p <= alpha) for 0 to `most` seeds [most + 1], given the number of pairs that differ."""
    differing = np.arange(most + 1)
    critical = binom.ppf(
        alpha / 2, differing, 0.5
    )  # the largest minority that is rejected, or 1 more
    critical -= 2 * binom.cdf(critical, differing, 0.5) > alpha
    differ = only_first + only_second
    theta = only_first / differ if differ else 0.5
    rejects = binom.cdf(critical, differing, theta) + binom.cdf(critical, differing, 1 - theta)
    shares = binom.pmf(differing, differing[:, None], min(1.0, differ))  # [seeds, differing]
    powers: np.ndarray = shares @ rejects
    return powers
