"""exp, tanh, sigmoid, log and the activations against exact arithmetic, over the whole range.

Errors are in units in the last place (ulp) of the exact result. Found in all of float32, and in two
million numbers of float64; 5 percent more than the larger is allowed:

    tanh 2.46 / 2.45    sigmoid 2.41 / 2.35    selu 2.30 / 3.01
    exp  1.10 / 1.05    log     0.86 / 0.82    gelu 7.42 / 6.43, below zero in units of `gelu_scale`

exp, log and SELU never step down from a float to the next above it. tanh and sigmoid do, by up to
two floats and by one, where they are steeper in their rounding than in their slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import special
from torch import Tensor

from bench.kernels.engine import call
from tests.kernels.arithmetic import on_c
from tests.kernels.catalogue import KINDS

pytestmark = [
    on_c,
    pytest.mark.usefixtures("on"),
    pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs a wider float"),
]
Array = np.ndarray
BOUNDS = {
    "tanh": 2.6,
    "sigmoid": 2.54,
    "selu": 3.17,
    "exp": 1.16,
    "log": 0.91,
    "gelu": 7.8,
    "relu": 0.0,
    "linear": 0.0,
}
WIDEST = np.longdouble
SCALE, ALPHA = (WIDEST(text) for text in ("1.05070098735548049342", "1.67326324235437728482"))
each_function = pytest.mark.parametrize("name", BOUNDS)
each_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def found(name: str, values: Array) -> Array:
    before = torch.from_numpy(values.copy())
    after = torch.empty_like(before)
    call("elementwise", before.dtype, KINDS[name], len(before), before, after)
    return after.numpy()


def exact_gelu(x: Array) -> Array:
    """x Phi(x). SciPy's Phi is good enough for float32; float64 takes the slow way."""
    if x.dtype == np.float64:
        return x * special.ndtr(x)
    with mpmath.workdps(30):
        return np.array([WIDEST(mpmath.nstr(_gelu(float(v)), 25)) for v in x])


def _gelu(x: float) -> mpmath.mpf:
    if abs(x) > 60:  # 1 or 0 far beyond float64, and slow
        return mpmath.mpf(max(x, 0.0))
    return mpmath.mpf(x) * mpmath.erfc(-mpmath.mpf(x) / mpmath.sqrt(2)) / 2


def exact_sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


EXACT: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": exact_sigmoid,
    "selu": lambda x: (
        SCALE.astype(x.dtype)
        * np.where(x > 0, x, ALPHA.astype(x.dtype) * np.expm1(np.minimum(x, 0)))
    ),
    "exp": np.exp,
    "log": np.log,
    "gelu": exact_gelu,
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def gelu_scale(x: Array) -> Array:
    """Phi(x) falls as exp(-x^2 / 2): half an ulp in x is x^2 ulp in it, by any formula in x."""
    return 1 + np.minimum(x, 0) ** 2


@np.errstate(all="ignore")
def largest_error(name: str, values: Array) -> float:
    """In ulp; infinite where a result is NaN or infinite and should not be, or the other way."""
    single = values.dtype == np.float32
    # 29 and 11 bits more than the result has.
    wide = values.astype(np.float64 if single else WIDEST)
    exact, result = EXACT[name](wide), found(name, values)
    largest, lowest, digits = (
        (np.finfo(np.float32).max, -125, 24) if single else (np.finfo(np.float64).max, -1021, 53)
    )
    inside = np.abs(exact) <= largest
    outside = result[~inside]
    expected = np.where(np.abs(exact) > largest, np.copysign(np.inf, exact), exact)[~inside]
    if not np.array_equal(outside, expected.astype(values.dtype), equal_nan=True):
        return math.inf
    exact, result = exact[inside], result[inside].astype(wide.dtype)
    exponents = np.maximum(np.frexp(np.abs(exact))[1], lowest) - digits
    errors = np.abs(result - exact) / np.ldexp(wide.dtype.type(1), exponents)
    if name == "gelu":
        errors /= gelu_scale(wide[inside])
    return float(np.nan_to_num(errors, nan=np.inf).max(initial=0))


def patterns(start: int, stop: int, stride: int = 1) -> Array:
    """float32 numbers by their bits."""
    return np.arange(start, stop, stride, dtype=np.uint32).view(np.float32)


def float64s(count: int) -> Array:
    """By their bits, by size, by magnitude, and close to one."""
    draw = np.random.default_rng(0)
    sign = draw.choice([-1.0, 1.0], count)
    return np.concatenate(
        [
            draw.integers(0, 2**64, count, dtype=np.uint64).view(np.float64),
            draw.uniform(-2, 2, count),
            draw.uniform(-40, 40, count),
            draw.uniform(-750, 750, count),
            sign * np.exp2(draw.uniform(-1074, 1024, count)),
            1 + sign * np.exp2(draw.uniform(-53, -1, count)),
            sign * np.exp2(draw.uniform(-60, 3, count)),
        ]
    )


@each_function
def test_the_error_in_float32(name: str) -> None:
    """Every 1021st number; all of them in the slow suite."""
    assert largest_error(name, patterns(0, 2**32, 1021)) <= BOUNDS[name]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@each_function
def test_the_error_in_all_of_float32(name: str) -> None:
    block = 2**23
    worst = max(largest_error(name, patterns(at, at + block)) for at in range(0, 2**32, block))
    assert worst <= BOUNDS[name]


@each_function
def test_the_error_in_float64(name: str) -> None:
    assert largest_error(name, float64s(500 if name == "gelu" else 100_000)) <= BOUNDS[name]


SPECIAL: dict[str, list[tuple[float, float]]] = {
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (math.inf, 1.0), (-math.inf, -1.0), (1e30, 1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (math.inf, 1.0), (-math.inf, 0.0), (-1e30, 0.0)],
    "selu": [(0.0, 0.0), (math.inf, math.inf)],
    "exp": [(0.0, 1.0), (-0.0, 1.0), (math.inf, math.inf), (-math.inf, 0.0), (1e4, math.inf)],
    "log": [
        *((1.0, 0.0), (0.0, -math.inf), (-0.0, -math.inf), (math.inf, math.inf)),
        *((-1.0, math.nan), (-1e-45, math.nan), (-math.inf, math.nan)),
    ],
    "gelu": [(0.0, 0.0), (-0.0, -0.0), (math.inf, math.inf), (-1e30, -0.0)],
    "relu": [(0.0, 0.0), (math.inf, math.inf), (-math.inf, 0.0), (-1.0, 0.0)],
    "linear": [(0.0, 0.0), (-0.0, -0.0), (math.inf, math.inf), (-math.inf, -math.inf)],
}


@each_function
@each_type
def test_exact_values(name: str, dtype: torch.dtype) -> None:
    given, expected = zip(*SPECIAL[name], (math.nan, math.nan), strict=True)
    values = found(name, torch.tensor(given, dtype=dtype).numpy())
    np.testing.assert_array_equal(values, np.array(expected, values.dtype))
    zero = values == 0  # and its sign, but for an exact zero at log(1)
    assert np.array_equal(np.signbit(values[zero]), np.signbit(np.array(expected)[zero]))


@pytest.mark.parametrize("number", [np.float32, np.float64])
def test_exp_overflows_and_vanishes_where_it_must(number: type[np.floating[Any]]) -> None:
    info = np.finfo(number)
    for limit, end in ((info.max, np.inf), (info.smallest_subnormal, 0)):
        start = np.log(WIDEST(limit) / (1 if end else 2)).astype(number)
        values = start * (1 + info.eps * np.arange(-2000, 2000, dtype=number))
        assert largest_error("exp", values.astype(number)) <= BOUNDS["exp"]
        ended = found("exp", values.astype(number)) == end
        assert ended.any()
        assert not ended.all()


def between_floats(values: Array) -> Array:
    """How many floats lie between neighbours of a sorted array: negative where one steps down."""
    bits = values.view(np.int32 if values.dtype == np.float32 else np.int64).astype(np.int64)
    lowest = np.iinfo(np.int32 if values.dtype == np.float32 else np.int64).min
    return np.diff(np.where(bits < 0, lowest - bits, bits))


def sorted_runs(dtype: torch.dtype) -> Iterator[Array]:
    """Neighbouring floats, from a thousand places of every size and sign."""
    draw = np.random.default_rng(1)
    kind, largest = (np.int32, 0x7F7FFFFF) if dtype == torch.float32 else (np.int64, (1 << 63) - 1)
    number = np.float32 if dtype == torch.float32 else np.float64
    starts = np.abs(np.concatenate([draw.normal(0, 3, 700), np.exp(draw.uniform(-87, 87, 300))]))
    for start in starts.astype(number):
        bits = start.view(kind) + np.arange(2000, dtype=kind)
        run = bits[(bits >= 0) & (bits <= largest)].view(number)
        run = run[np.isfinite(run)]
        yield run
        yield -run[::-1]


STEPS_DOWN = pytest.mark.parametrize(
    ("name", "down"), [("exp", 0), ("log", 0), ("selu", 0), ("tanh", 2), ("sigmoid", 1)]
)


@STEPS_DOWN
@each_type
def test_a_larger_number_has_no_smaller_value(name: str, down: int, dtype: torch.dtype) -> None:
    for run in sorted_runs(dtype):
        if name == "log" and run[0] < 0:
            continue
        assert between_floats(found(name, run)).min() >= -down
    with np.errstate(over="ignore"):
        wide = torch.from_numpy(np.sort(float64s(20_000))).to(dtype).numpy()
    wide = wide[wide >= (0 if name == "log" else -np.inf)]
    assert between_floats(found(name, wide)).min() >= -down


@pytest.mark.slow
@pytest.mark.timeout(3600)
@STEPS_DOWN
def test_no_larger_number_in_all_of_float32_has_a_smaller_value(name: str, down: int) -> None:
    infinity, block = 0x7F800000, 2**22
    for start in range(0, infinity, block):
        run = patterns(start, min(start + block, infinity) + 1)  # one more: the next block's first
        assert between_floats(found(name, run)).min() >= -down
        if name != "log":
            assert between_floats(found(name, -run[::-1])).min() >= -down


@each_type
def test_what_is_bounded_stays_within_its_bounds(dtype: torch.dtype) -> None:
    for run in sorted_runs(dtype):
        assert np.abs(found("tanh", run)).max() <= 1
        assert (found("sigmoid", run) >= 0).all()
        assert (found("sigmoid", run) <= 1).all()


@each_type
def test_tanh_is_odd_to_the_bit(dtype: torch.dtype) -> None:
    values = torch.from_numpy(np.concatenate([*sorted_runs(dtype)]))
    assert odd(values)
    assert odd(torch.tensor([0.0, math.inf], dtype=dtype))


def odd(values: Tensor) -> bool:
    array = values.numpy()
    return np.array_equal(
        found("tanh", -array).view(np.uint8), (-found("tanh", array)).view(np.uint8)
    )
