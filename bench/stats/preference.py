"""Which of the two would you rather have? Win, tie or loss for each pair of runs.

Only the order within a pair counts, never by how much: a run that diverged has no number, but it is
worse than any run that has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.estimates import NotEstimable
from bench.stats.sign_flip import sign_flip


@dataclass(frozen=True)
class Preference:
    """`probability` of improvement, P(win) + P(tie) / 2, with its interval; 1/2 is no preference.

    The counts are over all pairs; the probability weighs each block the same. `p` is the sign-flip
    test's, which for one block is the sign test; the interval includes 1/2 if and only if it
    exceeds 1 less the confidence.
    """

    wins: int
    ties: int
    losses: int
    num_dropped: int  # pairs of which a run was missing
    probability: float
    low: float
    high: float
    p: float


def scores(
    first: np.ndarray,
    second: np.ndarray,
    first_diverged: np.ndarray,
    second_diverged: np.ndarray,
    *,
    higher_is_better: bool,
) -> np.ndarray:
    """Final metrics [...] and who diverged [...] -> float [...]: 1 the first wins, 0 tie, -1.

    What diverged loses to what did not; two that diverged tie; equal values tie. A value that is
    not finite counts as diverged. Raises ValueError where the shapes differ.
    """
    arrays = [np.asarray(each) for each in (first, second, first_diverged, second_diverged)]
    if len({each.shape for each in arrays}) != 1:
        raise ValueError(f"shapes differ: {', '.join(str(list(each.shape)) for each in arrays)}")
    sign = 1.0 if higher_is_better else -1.0
    ours, theirs = (
        np.where(arrays[side + 2] | ~np.isfinite(arrays[side]), -np.inf, sign * arrays[side])
        for side in (0, 1)
    )
    result: np.ndarray = (ours > theirs).astype(np.float64) - (ours < theirs)
    return result


def preference(
    scored: np.ndarray, present: np.ndarray | None = None, *, confidence: float = 0.95
) -> Preference | NotEstimable:
    """`scored` [seeds] or [blocks, seeds], each -1, 0 or 1 (`scores`).

    Assumes that seeds are independent. `present`, of the same shape, is False only where one run of
    the pair has no result at all. Not estimable without a pair. Raises ValueError like sign_flip.

    Reference: Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice,
    NeurIPS 2021 (probability of improvement), here within pairs; Vargha and Delaney, A critique and
    improvement of the CL common language effect size statistics of McGraw and Wong, Journal of
    Educational and Behavioral Statistics 25 (2000), for the half of a tie.
    """
    pairs = np.atleast_2d(np.asarray(scored, dtype=np.float64))
    there = np.ones(pairs.shape, dtype=bool) if present is None else np.atleast_2d(present)
    found = sign_flip(pairs, there, confidence=confidence)
    if isinstance(found, NotEstimable):
        return found
    kept = pairs[there]
    return Preference(
        wins=int((kept == 1).sum()),
        ties=int((kept == 0).sum()),
        losses=int((kept == -1).sum()),
        num_dropped=found.num_dropped,
        probability=(1 + found.effect) / 2,
        low=(1 + found.low) / 2,
        high=(1 + found.high) / 2,
        p=found.p,
    )
