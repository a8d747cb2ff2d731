"""Many verdicts of equivalence at once, and how many seeds any of them needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.stats.equivalence import Equivalence, Verdict, verdict_of
from bench.stats.estimates import NotEstimable
from bench.stats.multiplicity import holm


def verdicts_in_family(
    found: Sequence[Equivalence | NotEstimable], *, alpha: float = 0.05
) -> list[Verdict | NotEstimable]:
    """The verdicts where many are given at once, in the order given.

    Both p of each are adjusted by Holm over the family: the chance that anything in it is wrongly
    called equivalent is at most `alpha`, and so is the chance that anything is wrongly called
    different. A member that is not estimable made no test and costs the others nothing.
    """
    tested = [each for each in found if isinstance(each, Equivalence)]
    equivalent = holm(np.array([each.p_equivalent for each in tested], dtype=np.float64))
    different = holm(np.array([each.p_different for each in tested], dtype=np.float64))
    pairs = zip(equivalent.tolist(), different.tolist(), strict=True)
    return [
        verdict_of(*next(pairs), alpha) if isinstance(each, Equivalence) else each for each in found
    ]


def fewest_seeds(margin: float, family: int = 1, alpha: float = 0.05) -> int:
    """With fewer seeds no two rates can be called equivalent in a family of so many tests.

    Not even where no pair ever differs, in whichever block: n seeds without a difference have
    p = (1 - margin)^n, which Holm multiplies by the size of the family. Raises ValueError unless
    0 < `margin` < 1 and the family has a member.

    >>> [fewest_seeds(margin) for margin in (0.1, 0.2, 0.3)]
    [29, 14, 9]
    """
    if not 0 < margin < 1 or family < 1:
        raise ValueError(f"margin {margin} or family of {family} is out of range")
    return math.ceil(math.log(alpha / family) / math.log1p(-margin))
