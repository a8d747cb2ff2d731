from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, multinomial

from bench.seeding import Stream
from bench.stats.best import Placed, Standing, fewest_seeds, standings
from bench.stats.estimates import NotEstimable
from bench.stats.multiplicity import holm

BEST, SAME, WORSE = Standing.BEST, Standing.NOT_DISTINGUISHABLE, Standing.WORSE

BLOCKS = st.integers(2, 5).flatmap(
    lambda methods: st.lists(
        st.lists(st.booleans(), min_size=methods, max_size=methods), min_size=1, max_size=16
    )
)


def placed(found: list[Placed | NotEstimable]) -> list[Placed]:
    assert all(isinstance(each, Placed) for each in found)
    return [each for each in found if isinstance(each, Placed)]


def words(solved: np.ndarray, present: np.ndarray | None = None) -> list[Standing]:
    return [each.standing for each in placed(standings(solved, present))]


def block(*counts: int, seeds: int = 16) -> np.ndarray:
    """[methods, seeds]: each method solved the first seeds, as many as its count."""
    return np.array([[seed < count for seed in range(seeds)] for count in counts])


@given(BLOCKS)
@settings(max_examples=50)
def test_it_is_mcnemar_of_every_pair_adjusted_by_holm(
    by_seed: list[list[bool]],
) -> None:
    solved = np.array(by_seed).T
    if not solved.any():
        assert standings(solved) == [NotEstimable("no run solved")] * len(solved)
        return
    pairs = list(combinations(range(len(solved)), 2))
    discordant = [
        ((solved[a] & ~solved[b]).sum(), (solved[a] != solved[b]).sum()) for a, b in pairs
    ]
    raw = [binomtest(more, num).pvalue if num else 1.0 for more, num in discordant]
    adjusted = dict(zip(pairs, holm(np.array(raw)), strict=True))
    counts = solved.sum(axis=1)
    best = np.flatnonzero(counts == counts.max()).tolist()
    for method, found in enumerate(placed(standings(solved))):
        against = [adjusted[min(method, one), max(method, one)] for one in best if one != method]
        if method in best:
            assert found == Placed(BEST, NotEstimable("it is the best"))
        else:
            assert found.p_adjusted == pytest.approx(min(against))
            assert (found.standing is WORSE) == (min(against) <= 0.05)


@given(BLOCKS, st.randoms())
@settings(max_examples=50)
def test_the_order_of_methods_and_seeds_does_not_matter(
    by_seed: list[list[bool]], random: np.random.Generator
) -> None:
    solved = np.array(by_seed).T
    methods, seeds = (list(range(num)) for num in solved.shape)
    random.shuffle(methods)
    random.shuffle(seeds)
    found = standings(solved)
    assert standings(solved[methods][:, seeds]) == [found[method] for method in methods]


def test_two_methods_need_what_mcnemar_needs() -> None:
    """Six seeds that differ have p = 1/32, five 1/16."""
    assert words(block(6, 0)) == [BEST, WORSE]
    assert words(block(5, 0)) == [BEST, SAME]


def test_whoever_enters_can_change_the_mark_of_another() -> None:
    """p = 1/32 is below 0.05 alone and not once it counts three times."""
    assert words(block(6, 0)) == [BEST, WORSE]
    assert words(block(6, 0, 1)) == [BEST, SAME, SAME]
    assert words(block(6, 0, 16)) == [WORSE, WORSE, BEST]


def test_those_who_solve_equally_often_are_all_best_whatever_seeds_they_solved() -> None:
    solved = np.array([[True] * 8 + [False] * 8, [False] * 8 + [True] * 8, [False] * 16])
    assert words(solved) == [BEST, BEST, WORSE]


def test_nobody_is_best_of_a_block_that_nobody_solved() -> None:
    assert standings(block(0, 0, 0)) == [NotEstimable("no run solved")] * 3


def test_a_method_alone_is_neither_best_nor_worse() -> None:
    assert standings(block(5)) == [NotEstimable("no other method to compare with")]
    present = np.array([[True] * 16, [False] * 16])
    assert standings(block(5, 16), present) == [
        NotEstimable("no other method to compare with"),
        NotEstimable("no runs"),
    ]


def test_nobody_is_best_or_worse_for_lack_of_runs() -> None:
    """One run of which one solved is no better than 15 of 16."""
    solved = block(15, 1, 16)
    present = np.array([[True] * 16, [True] + [False] * 15, [False] * 16])
    found = standings(solved, present)
    assert [each.standing for each in placed(found[:2])] == [BEST, SAME]
    assert found[2] == NotEstimable("no runs")


def test_a_method_that_beat_the_best_on_the_seeds_they_share_is_not_called_worse() -> None:
    """Ten of sixteen is most, but on the six seeds of the other it solved none."""
    solved = np.array([[False] * 6 + [True] * 10, [True] * 6 + [False] * 10])
    present = np.array([[True] * 16, [True] * 6 + [False] * 10])
    first, second = placed(standings(solved, present))
    assert (first.standing, second.standing, second.p_adjusted) == (BEST, SAME, 1.0)


@pytest.mark.parametrize("num_methods", [2, 3, 5, 12])
def test_with_the_fewest_seeds_and_not_with_one_less_somebody_can_be_called_worse(
    num_methods: int,
) -> None:
    fewest = fewest_seeds(num_methods)
    for seeds in (fewest - 1, fewest):
        found = words(block(seeds, *[0] * (num_methods - 1), seeds=seeds))
        assert (WORSE in found) == (seeds == fewest)


@lru_cache
def _calls(seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Every outcome of three methods: how many seeds [outcomes, 8] showed each of the eight
    patterns, and which methods [outcomes, 3] are called worse."""
    patterns = np.array(list(product([False, True], repeat=3))).T  # [methods, 8]
    cuts = np.array(list(combinations(range(seeds + 7), 7)))
    counts = np.diff(cuts, axis=1, prepend=-1, append=seeds + 7) - 1
    worse = [
        [isinstance(each, Placed) and each.standing is WORSE for each in standings(solved)]
        for solved in (np.repeat(patterns, each, axis=1) for each in counts)
    ]
    return counts, np.array(worse)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_three_that_solve_equally_often_are_rarely_told_apart(rate: float, shared: float) -> None:
    """By summing over all outcomes of seven seeds. `shared` of the seeds decide for all alike."""
    counts, worse = _calls(7)
    solves = np.array(list(product([False, True], repeat=3)))
    alone = np.where(solves, rate, 1 - rate).prod(axis=1)
    alike = np.where(solves.all(axis=1), rate, np.where(solves.any(axis=1), 0, 1 - rate))
    chance = multinomial(7, shared * alike + (1 - shared) * alone).pmf(counts)
    assert chance.sum() == pytest.approx(1)
    wrong = chance[worse.any(axis=1)].sum()
    assert 0 < wrong <= 0.05


RATES = {
    "all alike": (0.5,) * 10,
    "two groups": (0.7,) * 6 + (0.2,) * 4,
    "all rare": (0.1,) * 10,
}


@pytest.mark.parametrize("case", RATES)
def test_the_family_wise_error_is_at_most_nominal(case: str) -> None:
    """400 blocks of 40 seeds, a quarter of whose luck all methods share; a right block calls nobody
    worse than one of the best who does not solve more often. A false alarm: less than 1e-5 each."""
    rates, num_blocks = np.array(RATES[case]), 400
    stream = Stream("family-wise error", case, seed=0)
    luck = stream.uniform((num_blocks, rates.size, 40))
    common = np.broadcast_to(stream.uniform((num_blocks, 1, 40)), luck.shape)
    is_common = stream.uniform((num_blocks, 1, 40)) < 0.25
    wrong = 0
    for solved in np.where(is_common, common, luck) < rates[:, None]:
        found = standings(solved)
        best = [placed.standing is BEST for placed in found if isinstance(placed, Placed)]
        lowest = rates[best].min(initial=np.inf) if best else np.inf
        wrong += any(
            isinstance(each, Placed) and each.standing is WORSE and rate >= lowest
            for each, rate in zip(found, rates, strict=True)
        )
    assert wrong <= binom.isf(1e-5, num_blocks, 0.05)


def test_what_is_not_yes_or_no_is_refused() -> None:
    with pytest.raises(ValueError, match="not bool"):
        standings(np.ones((2, 3)))
    with pytest.raises(ValueError, match="methods, seeds"):
        standings(np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match="methods, seeds"):
        standings(np.ones((2, 3), dtype=bool), np.ones((2, 2), dtype=bool))
    with pytest.raises(ValueError, match="no pair"):
        fewest_seeds(1)
