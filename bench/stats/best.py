"""Which methods of a block solved most often, and which cannot be told from those?

The best is chosen by looking at the runs, so its tests cannot be declared as "each against that
one": whichever method it had been, the tests would have been others. The family is therefore every
pair of methods, and in a whole block the chance that any method is called worse than one that in
truth solves just as often is at most alpha, whichever methods, and how many, are alike.

A standing depends on which methods entered the block, as it must: who is best among more is another
question, and more pairs ask for more evidence. It is a mark, never a part of a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import count

import numpy as np

from bench.stats.estimates import Estimate, NotEstimable
from bench.stats.mcnemar import exact_p, smallest_p
from bench.stats.multiplicity import holm

_p_of = lru_cache(maxsize=4096)(exact_p)  # few counts come up, again and again


class Standing(StrEnum):
    BEST = "best"
    NOT_DISTINGUISHABLE = "not distinguishable"  # from the best; which is not to say as good
    WORSE = "worse"


@dataclass(frozen=True)
class Placed:
    """A method's standing, and the adjusted p of its test against the best."""

    standing: Standing
    p_adjusted: Estimate  # not estimable for the best itself


def standings(
    solved: np.ndarray, present: np.ndarray | None = None, *, alpha: float = 0.05
) -> list[Placed | NotEstimable]:
    """`solved` [methods, seeds], bool: whether the method's run of that seed solved.

    The best are the methods that solved most of the seeds; several where they tie. Those are not
    ordered any further: no test would stand behind it. `present` [methods, seeds] is False where
    there is no result. Such a seed counts as not solved when the best are chosen, so that nobody is
    best for lack of runs, and it is left out of the tests of its method.

    A method is worse if the exact McNemar test on the seeds shared with one of the best, adjusted
    by Holm over all pairs of methods, has p of at most `alpha` in favour of that one. Assumes that
    seeds are independent; methods may depend on each other in any way.

    Not estimable: for a method without a result; for all where fewer than two have one, or where no
    run solved. Raises ValueError for arrays that are not bool [methods, seeds].

    References: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979), over the tests of bench.stats.mcnemar; Hsu, Multiple comparisons: theory
    and methods (1996), chapter 4, on comparisons with a best that the data choose.

    >>> some, most = [True] * 2 + [False] * 8, [True] * 9 + [False]
    >>> [placed.standing.value for placed in standings(np.array([some, most]))]
    ['worse', 'best']
    """
    solved, present = _checked(solved, present)
    entered = np.asarray(present.any(axis=1))
    num_solved = solved.sum(axis=1)
    if not solved.any() or entered.sum() < 2:
        why = "no run solved" if entered.sum() > 1 else "no other method to compare with"
        return [NotEstimable(why if each else "no runs") for each in entered]
    best = np.equal(num_solved, num_solved.max())
    against = np.ones((len(solved), len(solved)))
    against[np.ix_(entered, entered)] = _pairwise(solved[entered], present[entered])
    return [
        _placed(best[method], float(against[method, best].min()), alpha)
        if entered[method]
        else NotEstimable("no runs")
        for method in range(len(solved))
    ]


def fewest_seeds(num_methods: int, alpha: float = 0.05) -> int:
    """With fewer seeds no method of so many can be called worse, whatever comes out.

    Raises ValueError for fewer than two methods.

    >>> [fewest_seeds(methods) for methods in (2, 5, 12)]
    [6, 9, 12]
    """
    if num_methods < 2:
        raise ValueError(f"{num_methods} methods make no pair")
    num_pairs = num_methods * (num_methods - 1) // 2
    return next(seeds for seeds in count() if num_pairs * smallest_p(seeds) <= alpha)


def _placed(is_best: bool, p_adjusted: float, alpha: float) -> Placed:
    if is_best:
        return Placed(Standing.BEST, NotEstimable("it is the best"))
    is_worse = p_adjusted <= alpha
    return Placed(Standing.WORSE if is_worse else Standing.NOT_DISTINGUISHABLE, p_adjusted)


def _pairwise(solved: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Adjusted p [methods, methods] that the row solves less often than the column.

    1 where it solved as often or more often on the seeds that both have: a two-sided test speaks
    for one side only.
    """
    only = (solved[:, None] & ~solved & present[:, None] & present).sum(axis=2)  # row, not column
    rows, columns = np.triu_indices(len(solved), k=1)
    discordant = np.stack([only[rows, columns], only[columns, rows]], axis=1)
    raw = [_p_of(*pair) for pair in np.sort(discordant, axis=1).tolist()]
    adjusted = np.ones(only.shape)
    adjusted[rows, columns] = adjusted[columns, rows] = holm(np.array(raw))
    return np.where(only < only.T, adjusted, 1.0)


def _checked(solved: np.ndarray, present: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Both [methods, seeds]; what is not there did not solve."""
    solved = np.asarray(solved)
    present = np.ones(solved.shape, dtype=bool) if present is None else np.asarray(present)
    if solved.ndim != 2 or solved.shape != present.shape:
        raise ValueError("solved and present are [methods, seeds]")
    if solved.dtype != bool or present.dtype != bool:
        raise ValueError(f"solved is {solved.dtype} and present {present.dtype}, not bool")
    return solved & present, present
