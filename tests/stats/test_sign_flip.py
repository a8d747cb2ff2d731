from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm, permutation_test

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import McNemar, mcnemar
from bench.stats.sign_flip import MAX_EXACT, NUM_DRAWS, SignFlip, flip_p, sign_flip


@st.composite
def tables(draw: st.DrawFn, max_blocks: int = 4, max_seeds: int = 7) -> np.ndarray:
    shape = draw(st.integers(1, max_blocks)), draw(st.integers(1, max_seeds))
    rows = st.lists(st.integers(-1, 1), min_size=shape[1], max_size=shape[1])
    return np.array(draw(st.lists(rows, min_size=shape[0], max_size=shape[0])), dtype=float)


def of(differences: np.ndarray, present: np.ndarray | None = None) -> SignFlip:
    found = sign_flip(differences, present)
    assert isinstance(found, SignFlip)
    return found


def correlated(
    num_sets: int, num_blocks: int, num_seeds: int, share: float, of_seed: float
) -> np.ndarray:
    """[sets, blocks, seeds] of -1, 0, 1: each sign with probability `share`, seeds alike by
    `of_seed` over blocks; exchangeable, so that there is no difference."""
    stream = Stream("test of sign flips", num_blocks, num_seeds, seed=0)
    seeds = stream.normal((num_sets, 1, num_seeds))
    own = stream.normal((num_sets, num_blocks, num_seeds))
    latent = np.sqrt(of_seed) * seeds + np.sqrt(1 - of_seed) * own
    return np.sign(latent) * (np.abs(latent) > norm.isf(share))


@given(tables())
def test_p_counts_the_sign_patterns_of_whole_seeds(differences: np.ndarray) -> None:
    observed = abs(differences.mean())
    patterns = itertools.product([-1, 1], repeat=differences.shape[1])
    means = [abs((differences * pattern).mean()) for pattern in patterns]
    assert of(differences).p == pytest.approx(np.mean(np.array(means) >= observed - 1e-12))


@pytest.mark.parametrize("num_seeds", [5, 8, 12])
def test_it_agrees_with_scipy(num_seeds: int) -> None:
    values = Stream("scipy", seed=num_seeds).normal((num_seeds,)) + 0.5
    theirs = permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert flip_p(values)[0] == pytest.approx(theirs.pvalue, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_one_block_is_mcnemars_test(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    found, expected = of((first * 1.0 - second)[None]), mcnemar(first, second)
    assert isinstance(expected, McNemar)
    assert found.p == expected.p
    assert found.effect == pytest.approx(expected.difference)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-8)


@given(tables(max_blocks=1, max_seeds=14))
def test_mcnemars_p_is_that_of_flipped_signs(differences: np.ndarray) -> None:
    assert flip_p(differences[0] / differences.size)[0] == pytest.approx(of(differences).p)


@given(tables())
def test_the_interval_holds_the_effect_and_agrees_with_p(differences: np.ndarray) -> None:
    found = of(differences)
    assert -1 <= found.low <= found.effect + 1e-12
    assert found.effect - 1e-12 <= found.high <= 1
    assert (found.low < -1e-9 and found.high > 1e-9) or found.p <= 0.05 or found.effect == 0


@given(tables(), st.randoms())
def test_the_order_of_blocks_and_seeds_changes_nothing(
    differences: np.ndarray, random: object
) -> None:
    rows, columns = (list(range(size)) for size in differences.shape)
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    found, shuffled = of(differences), of(differences[rows][:, columns])
    assert shuffled.p == found.p
    assert shuffled.effect == pytest.approx(found.effect)


@given(tables())
def test_exchanging_the_two_turns_it_around(differences: np.ndarray) -> None:
    found, turned = of(differences), of(-differences)
    assert (turned.effect, turned.p) == (-found.effect, found.p)


@given(tables())
def test_a_block_twice_is_no_more_evidence(differences: np.ndarray) -> None:
    assert of(np.repeat(differences, 3, axis=0)).p == pytest.approx(of(differences).p)


def test_each_block_weighs_the_same_and_missing_pairs_are_counted() -> None:
    differences = np.array([[1, 1, 1, 1], [0, 0, -1, np.nan], [np.nan] * 4], dtype=float)
    found = of(differences, np.isfinite(differences))
    assert found.effect == pytest.approx((1 - 1 / 3) / 2)
    assert (found.num_seeds, found.num_blocks) == (4, 2)
    assert (found.num_pairs, found.num_dropped) == (7, 5)


def test_a_missing_pair_widens_the_interval_whatever_it_would_have_been() -> None:
    differences = np.ones((4, 12))
    differences[:, :3] = 0
    present = np.ones(differences.shape, dtype=bool)
    present[0, 5] = False
    without = of(differences, present)
    for value in (-1.0, 0.0, 1.0):
        differences[0, 5] = value
        full = of(differences)
        assert without.low <= full.low
        assert full.high <= without.high


def test_beyond_the_enumeration_a_sample_comes_close_and_repeats() -> None:
    stream = Stream("many seeds", seed=0)
    values = stream.normal((MAX_EXACT + 4,)) + 0.4
    p, is_exact = flip_p(values)
    assert not is_exact
    assert flip_p(values) == (p, False)
    sums = np.zeros(1)
    for each in values:
        sums = np.concatenate([sums + each, sums - each])
    exact = (np.abs(sums) >= abs(values.sum()) - 1e-9).mean()
    # 5 standard errors: false alarm below 1e-6
    assert abs(p - exact) < 5 * np.sqrt(exact / NUM_DRAWS) + 1 / NUM_DRAWS
    assert flip_p(np.ones(40))[0] >= 1 / (1 + NUM_DRAWS)


def test_seeds_without_a_difference_cost_no_exactness() -> None:
    values = np.concatenate([np.ones(6), np.zeros(40)])
    assert flip_p(values) == (2 / 2**6, True)
    assert flip_p(np.zeros(40)) == (1.0, True)


@pytest.mark.parametrize(("num_blocks", "num_seeds"), [(12, 10), (4, 16)])
@pytest.mark.parametrize("of_seed", [0.0, 0.9])
def test_false_alarms_are_at_most_nominal_and_the_interval_covers(
    num_blocks: int, num_seeds: int, of_seed: float
) -> None:
    """150 tables without a difference. Either count goes over its bound in less than 1e-5."""
    found = [of(each) for each in correlated(150, num_blocks, num_seeds, 0.25, of_seed)]
    for alpha in (0.05, 0.01):
        assert sum(each.p <= alpha for each in found) <= binom.isf(1e-5, 150, alpha)
    missed = sum(not each.low <= 0 <= each.high for each in found)
    assert missed <= binom.isf(1e-5, 150, 0.05)


def test_without_pairs_there_is_nothing_to_say() -> None:
    assert sign_flip(np.empty((0, 3))) == NotEstimable("no pairs")
    assert sign_flip(np.ones((2, 2)), np.zeros((2, 2), dtype=bool)) == NotEstimable("no pairs")


@pytest.mark.parametrize("differences", [np.ones(3), np.full((1, 3), 0.5), np.full((1, 3), np.nan)])
def test_other_values_and_shapes_are_refused(differences: np.ndarray) -> None:
    with pytest.raises(ValueError, match="difference"):
        sign_flip(differences)
