from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.resampling import draw_counts, means_over_blocks

BITS = """
import hashlib
import numpy as np
from bench.seeding import Stream
from bench.stats.bootstrap import difference_over_blocks, mean_over_blocks
from bench.stats.bounded_mean import bounded_mean_interval
from bench.stats.profiles import performance_profile
from bench.stats.resampling import draw_counts, means_over_blocks
from bench.stats.sign_flip_interval import sign_flip_interval
scores = Stream("bits", seed=0).uniform((12, 20)) * 0.7
present = Stream("bits present", seed=0).uniform((12, 20)) < 0.95
counts, blocks = draw_counts("seeds", 20, 3000), draw_counts("blocks", 12, 3000)
parts = [means_over_blocks(scores, mask, counts, drawn)
         for mask in (present, present | True) for drawn in (None, blocks)]
parts += [np.array(sign_flip_interval(scores[0] - scores[1])),
          np.array(bounded_mean_interval(scores[0], 0, 1)),
          *performance_profile(scores, present, num_replicates=500).band,
          *(np.array(mean_over_blocks(scores, method=method, num_replicates=2000).interval)
            for method in ("percentile", "bca"))]
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
"""


def brute_force(
    values: np.ndarray, present: np.ndarray, seeds: list[int], blocks: list[int]
) -> float:
    """Write every drawn run down, then average."""
    means = []
    for block in blocks:
        drawn = [values[block, seed] for seed in seeds if present[block, seed]]
        means.append(np.mean(drawn or values[block][present[block]]))
    return float(np.mean(means))


@given(st.data(), st.booleans(), st.booleans())
def test_it_is_the_mean_of_the_runs_written_down(
    data: st.DataObject, has_gaps: bool, draws_blocks: bool
) -> None:
    num_blocks, num_seeds = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    shape = (num_blocks, num_seeds)
    cells = st.lists(st.integers(-9, 9), min_size=num_blocks * num_seeds, max_size=20)
    values = np.array(data.draw(cells), dtype=float)[: num_blocks * num_seeds].reshape(shape)
    present = np.ones(shape, dtype=bool)
    if has_gaps:
        present[:, 1:] = data.draw(st.booleans())
        present[0, 0] |= not present[0].any()
    seeds = data.draw(st.lists(st.integers(0, num_seeds - 1), min_size=1, max_size=6))
    blocks = list(range(num_blocks))
    block_counts = None
    if draws_blocks:
        draw = st.lists(st.integers(0, num_blocks - 1), min_size=num_blocks, max_size=num_blocks)
        blocks = data.draw(draw)
        block_counts = np.bincount(blocks, minlength=num_blocks).astype(float)[:, None]
    seed_counts = np.bincount(seeds, minlength=num_seeds).astype(float)[:, None]
    found = means_over_blocks(values, present, seed_counts, block_counts)
    assert found[0] == pytest.approx(brute_force(values, present, seeds, blocks), abs=1e-12)


def test_every_draw_has_as_many_units_and_each_is_as_likely() -> None:
    """Counts of 20,000 draws: 6 standard errors, seen by chance once in 1e8 or less often."""
    counts = draw_counts("seeds", 10, 20_000)
    assert (counts.sum(axis=0) == 10).all()
    error = np.sqrt(0.9 / 20_000)  # the variance of a count is 1 - 1/10
    assert (np.abs(counts.mean(axis=1) - 1) < 6 * error).all()
    assert abs((counts == 0).mean() - 0.9**10) < 6 * np.sqrt(0.25 / 20_000)


def test_more_draws_begin_with_the_same_ones_and_blocks_are_drawn_apart_from_seeds() -> None:
    np.testing.assert_array_equal(
        draw_counts("seeds", 10, 50), draw_counts("seeds", 10, 80)[:, :50]
    )
    assert (draw_counts("seeds", 10, 50) != draw_counts("blocks", 10, 50)).any()


def _features_that_can_be_switched_off() -> str:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


def test_the_bits_are_the_same_with_other_threads_blas_kernels_and_vector_instructions() -> None:
    settings = [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4", "OPENBLAS_CORETYPE": "Nehalem"},
        {"NPY_DISABLE_CPU_FEATURES": _features_that_can_be_switched_off()},
    ]
    digests = {
        subprocess.run(
            [sys.executable, "-c", BITS],
            env=os.environ | setting,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for setting in settings
    }
    assert len(digests) == 1
