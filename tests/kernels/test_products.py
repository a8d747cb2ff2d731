"""A product is one chain of fused multiply-adds in the order of k, a sum sixteen: to the bit.

That is what makes them independent of tiles and vectors; the chains here are written down as such,
with the C library's fma, which rounds once.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.kernels.engine import call
from tests.kernels.arithmetic import COMPILED, arithmetic, needs_a_compiler

pytestmark = needs_a_compiler
C = ctypes.CDLL(ctypes.util.find_library("m"))
FMA = {torch.float32: (C.fmaf, ctypes.c_float), torch.float64: (C.fma, ctypes.c_double)}
for function, number in FMA.values():
    function.argtypes, function.restype = [number] * 3, number

repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=60)
# Up to one beyond a tile of 6 rows, and a panel of 64 columns.
few = st.one_of(st.integers(1, 9), st.sampled_from([12, 13]))
edges = st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 31, 32, 33, 47, 63, 64, 65]))
types = st.sampled_from([torch.float32, torch.float64])


def chain(start: float, pairs: Iterable[tuple[float, float]], dtype: torch.dtype) -> float:
    fma = FMA[dtype][0]
    for left, right in pairs:
        start = fma(left, right, start)
    return start


def chains(start: Tensor | None, left: Tensor, right: Tensor) -> Tensor:
    """start [M, N] + left [M, K] right [K, N], one chain each."""
    rows, columns = left.tolist(), right.t().tolist()
    begin = torch.zeros(len(rows), len(columns)) if start is None else start
    values = [
        [
            chain(float(begin[i, j]), zip(row, column, strict=True), left.dtype)
            for j, column in enumerate(columns)
        ]
        for i, row in enumerate(rows)
    ]
    return torch.tensor(values, dtype=left.dtype)


def draw(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    """Numbers whose sums cancel: of any sign and of sizes from 1e-3 to 1e3."""
    generator = np.random.default_rng([seed, *shape])
    values = generator.normal(size=shape) * 10 ** generator.uniform(-3, 3, shape)
    return torch.from_numpy(values).to(dtype)


@pytest.fixture(autouse=True)
def _c() -> None:
    with arithmetic(COMPILED[0]):
        yield


@repeatable
@given(few, few, edges, types)
@example(2, 97, 3, torch.float32)
@example(193, 2, 3, torch.float64)
def test_linear_is_a_chain_from_the_bias(
    rows: int, inputs: int, outputs: int, dtype: torch.dtype
) -> None:
    x, weight = draw(rows, inputs, dtype=dtype, seed=0), draw(outputs, inputs, dtype=dtype, seed=1)
    bias = draw(outputs, dtype=dtype, seed=2)
    found = torch.empty(rows, outputs, dtype=dtype)
    for start in (bias, None):
        call("linear", dtype, rows, inputs, outputs, x, weight, start, found)
        begin = None if start is None else start.expand(rows, outputs)
        assert torch.equal(found, chains(begin, x, weight.t()))


@repeatable
@given(few, edges, few, types)
@example(193, 2, 3, torch.float64)  # more rows than are worked on at once
@example(385, 1, 5, torch.float32)
def test_gradients_are_chains_from_the_last_row_to_the_first(
    rows: int, inputs: int, outputs: int, dtype: torch.dtype
) -> None:
    x, weight = draw(rows, inputs, dtype=dtype, seed=0), draw(outputs, inputs, dtype=dtype, seed=1)
    grad = draw(rows, outputs, dtype=dtype, seed=2)
    grad_x, grad_weight = torch.empty_like(x), torch.empty_like(weight)
    grad_bias = torch.empty(outputs, dtype=dtype)
    sums = torch.zeros_like(grad_bias)
    sizes = rows, inputs, outputs
    call("linear_backward", dtype, *sizes, x, weight, grad, grad_x, grad_weight, grad_bias)
    assert torch.equal(grad_x, chains(None, grad, weight))
    assert torch.equal(grad_weight, chains(None, grad.flip(0).t(), x.flip(0)))
    for row in grad.flip(0):
        sums += row
    assert torch.equal(grad_bias, sums)


@pytest.mark.parametrize("dtype", FMA)
@pytest.mark.parametrize("poison", [math.nan, math.inf, 1e30])
@pytest.mark.parametrize("outputs", [1, 5, 16, 23, 48, 97])
def test_what_is_not_finite_stays_in_its_row_and_column(
    outputs: int, poison: float, dtype: torch.dtype
) -> None:
    """The zeros that fill up a panel must not turn an infinity into NaN elsewhere."""
    x, weight = draw(8, 3, dtype=dtype, seed=0), draw(outputs, 3, dtype=dtype, seed=1)
    x[5, 1] = poison
    weight[-1, 2] = poison
    found = torch.empty(8, outputs, dtype=dtype)
    call("linear", dtype, 8, 3, outputs, x, weight, None, found)
    expected = chains(None, x, weight.t())
    assert torch.equal(found.isnan(), expected.isnan())
    assert torch.equal(found.nan_to_num(0), expected.nan_to_num(0))
    clean = torch.ones(8, outputs, dtype=torch.bool)
    clean[5], clean[:, -1] = False, False
    assert found[clean].isfinite().all()


def sixteen_chains(values: list[float]) -> float:
    """The sum of squares: one chain for each index modulo sixteen, then a tree."""
    sums = [chain(0.0, ((v, v) for v in values[i::16]), torch.float64) for i in range(16)]
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [sums[i] + sums[i + half] for i in range(half)]
    return sums[0]


@repeatable
@given(st.integers(0, 100), types, st.integers(0, 10**6))
def test_a_sum_of_squares_is_sixteen_chains_and_a_tree(
    size: int, dtype: torch.dtype, seed: int
) -> None:
    values = draw(size, dtype=dtype, seed=seed)
    expected = sixteen_chains(values.double().tolist())
    assert call("sum_of_squares", dtype, size, values, 1.0) == expected
    assert call("norm", dtype, size, values) == math.sqrt(expected)
