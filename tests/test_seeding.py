"""Random streams: independent, repeatable to the bit, and of the distribution they claim.

Statistical tests run on pinned seeds, so what passes goes on passing; each would reject a correct
generator on other seeds with a probability below 1e-4.
"""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from bench.initial_weights import draw
from bench.seeding import NORMAL_GRID, UNIFORM_GRID, Stream, on_grid
from tests import golden_draws
from tests.random_state import untouched_random_state

FALSE_ALARM = 1e-4


def stream(purpose: str = "golden", *scope: str | int, seed: int = 0) -> Stream:
    return Stream(purpose, *scope, seed=seed)


def test_the_same_key_gives_the_same_bits_and_any_other_key_gives_others() -> None:
    keys: list[tuple[tuple[str | int, ...], int]] = [
        (("a",), 0),
        (("a",), 1),
        (("a", 0), 0),  # a scope is not a seed
        (("a", 0, 0), 0),
        (("a", "0"), 0),
        (("a0",), 0),
        (("a", "b", "c"), 0),
        (("a", "bc"), 0),
        (("ab", "c"), 0),
        (("b",), 0),
    ]
    drawn, again = (
        [Stream(*labels, seed=seed).uniform((64,)).tobytes() for labels, seed in keys]  # type: ignore[arg-type]
        for _ in range(2)
    )
    assert len(set(drawn)) == len(keys)
    assert again == drawn


def test_a_stream_goes_on_and_does_not_repeat() -> None:
    one = stream()
    parts = np.concatenate([one.uniform((3, 2)).ravel(), one.uniform((4,))])
    assert np.array_equal(parts, stream().uniform((10,)))
    assert len(set(parts)) == 10


def test_empty_shapes_draw_nothing() -> None:
    one = stream()
    assert one.uniform((0, 3)).shape == (0, 3)
    assert one.permutation(0).shape == (0,)
    assert np.array_equal(one.uniform((2,)), stream().uniform((2,)))


@pytest.mark.parametrize("name", golden_draws.DIGESTS)
def test_golden_draws(name: str) -> None:
    """A change here makes every stored result stale: raise SEMANTICS_VERSION with it."""
    assert golden_draws.digests()[name] == golden_draws.DIGESTS[name]


OTHER_MACHINES = {
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "BLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "BLAS for Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "NumPy without AVX2 and AVX-512": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
    "C library without FMA and AVX2": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these switches exist on x86-64 alone")
def test_the_bits_are_the_same_on_other_processors_and_thread_counts() -> None:
    """Each configuration in a process of its own, all at once."""
    switches = {name for other in OTHER_MACHINES.values() for name in other}
    plain = {name: value for name, value in os.environ.items() if name not in switches}
    processes = {
        name: subprocess.Popen(
            [sys.executable, golden_draws.__file__],
            env=plain | switched,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, switched in OTHER_MACHINES.items()
    }
    for name, process in processes.items():
        printed, _ = process.communicate(timeout=120)
        assert printed.strip().splitlines()[-1] == str(golden_draws.DIGESTS), name


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        (stream().uniform((10000,)), UNIFORM_GRID),
        (on_grid(stream().normal((10000,))), NORMAL_GRID),
        (draw("gaussian", (100, 100), 7.3, stream()), NORMAL_GRID),
        (draw("orthogonal", (60, 60), 1.7, stream()), NORMAL_GRID),
        (draw("identity", (9, 9), 0.1, stream()), NORMAL_GRID),
        (draw("ones", (9,), 1 / 3, stream()), NORMAL_GRID),
    ],
    ids=["uniform", "normal", "gaussian", "orthogonal", "identity", "ones"],
)
def test_what_is_drawn_is_on_a_grid_that_float32_holds(values: np.ndarray, grid: float) -> None:
    assert np.array_equal(values, values.astype(np.float32).astype(np.float64))
    # Above 2^4 float32 is itself coarser than the grid, and a multiple of it.
    assert np.array_equal(values / grid, np.round(values / grid))


def test_the_grid_moves_a_number_by_half_a_step_at_most() -> None:
    values = stream().normal((10000,))
    assert np.abs(on_grid(values) - values).max() <= NORMAL_GRID / 2


def test_the_grid_swallows_a_last_place() -> None:
    values = stream().normal((10000,))
    assert np.array_equal(on_grid(np.nextafter(values, np.inf)), on_grid(values))


def test_uniform_by_kolmogorov_and_smirnov() -> None:
    values = stream("uniform").uniform((200_000,))
    assert values.min() >= 0
    assert values.max() < 1
    assert stats.kstest(values, "uniform").pvalue > FALSE_ALARM


def test_normal_by_kolmogorov_and_smirnov() -> None:
    assert stats.kstest(stream("normal").normal((200_000,)), "norm").pvalue > FALSE_ALARM


@pytest.mark.parametrize("word", [0, 2**64 - 1])
def test_the_extreme_words_are_finite_and_mirror_each_other(
    word: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stream()
    monkeypatch.setattr(one, "_raw", lambda shape: np.full(shape, word, dtype=np.uint64))
    low_end = -8.2  # of 52 bits
    expected = low_end if word == 0 else -low_end
    assert one.normal((1,)) == pytest.approx(expected, abs=0.1)
    assert 0 <= float(one.uniform((1,))[0]) < 1
    assert int(one.integers(-3, 7, (1,))[0]) in (-3, 6)


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-3, 7), (0, 97), (0, 1)])
def test_integers_by_chi_square(low: int, high: int) -> None:
    values = stream("integers").integers(low, high, (100_000,))
    counts = np.bincount(values - low)
    assert values.min() == low
    assert len(counts) == high - low
    if len(counts) > 1:
        assert stats.chisquare(counts).pvalue > FALSE_ALARM


def test_every_permutation_is_as_likely() -> None:
    orders = list(itertools.permutations(range(4)))
    drawn = [tuple(stream("order", i).permutation(4).tolist()) for i in range(6000)]
    assert stats.chisquare([drawn.count(order) for order in orders]).pvalue > FALSE_ALARM


def test_streams_are_not_correlated() -> None:
    """Of n standard normals in pairs, the correlation is about N(0, 1/n)."""
    rows = np.stack([stream("rows", i).normal((20_000,)) for i in range(12)])
    correlations = np.corrcoef(rows)[np.triu_indices(12, k=1)]
    threshold = stats.norm.isf(FALSE_ALARM / len(correlations) / 2)
    assert np.abs(correlations).max() < threshold / np.sqrt(20_000)


def test_drawing_leaves_the_shared_generators_alone() -> None:
    with untouched_random_state():
        golden_draws.digests()
