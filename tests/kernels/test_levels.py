"""Every vector width and every tile gives the same bits, and the twins the same numbers."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.kernels import compiler, twins
from bench.kernels.engine import call
from bench.kernels.levels import TORCH
from tests.kernels.arithmetic import COMPILED, WIDTHS, arithmetic, needs_a_compiler
from tests.kernels.catalogue import Case, cases

pytestmark = needs_a_compiler
TYPES = [torch.float32, torch.float64]
each_type = pytest.mark.parametrize("dtype", TYPES)


@pytest.fixture(scope="module")
def shapes() -> None:
    """Compiled at once, one process each."""
    here = Path(__file__).parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.kernels.arithmetic", name], cwd=here)
        for name in WIDTHS
    ]
    assert [process.wait() for process in processes] == [0] * len(processes)


def run(case: Case, on: str, fill: float = 7.0) -> tuple[Any, list[Tensor]]:
    arguments, written = case.fresh(fill)
    with arithmetic(on):
        return call(case.kernel, case.dtype, *arguments), written


def bits(tensor: Tensor) -> Tensor:
    """As integers; one NaN for all."""
    canonical = torch.where(tensor.isnan(), torch.full_like(tensor, math.nan), tensor)
    return canonical.view(torch.int32 if tensor.dtype == torch.float32 else torch.int64)


def same(result: Any, expected: Any) -> bool:
    return result == expected or (result != result and expected != expected)


def assert_same_bits(case: Case, on: str, other: str) -> None:
    (result, written), (expected, reference) = run(case, on), run(case, other)
    assert same(result, expected), f"{case}"
    for one, two in zip(written, reference, strict=True):
        assert torch.equal(bits(one), bits(two)), f"{case}"


@each_type
@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
@pytest.mark.parametrize("on", [*COMPILED[:-1], *WIDTHS])
def test_all_widths_give_the_same_bits(
    on: str, dtype: torch.dtype, extreme: bool, shapes: None
) -> None:
    for case in cases(dtype, extreme=extreme):
        assert_same_bits(case, on, COMPILED[-1])


@each_type
def test_the_extreme_cases_are_extreme(dtype: torch.dtype) -> None:
    """Else the comparison of bits would prove nothing of NaN, infinity and subnormal numbers."""
    seen = torch.cat(
        [
            tensor.flatten()
            for case in cases(dtype, extreme=True)
            for tensor in run(case, COMPILED[0])[1]
            if tensor.dtype == dtype
        ]
    )
    tiny = torch.finfo(dtype).smallest_normal
    for share in (seen.isnan(), seen.isinf(), (seen != 0) & (seen.abs() < tiny), seen.isfinite()):
        assert share.sum() > 100


def test_each_kernel_has_a_twin_and_a_case() -> None:
    everything = {case.kernel for case in cases(torch.float32, extreme=False)}
    assert everything == set(twins.__all__)


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils")
def test_nothing_but_the_kernels_is_exported() -> None:
    library = compiler.load(COMPILED[0], 32)._name
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    )
    exported = {line.split()[2] for line in listed.stdout.splitlines() if line.split()[1] == "T"}
    assert exported - {"_init", "_fini"} == set(twins.__all__)


def both(dtype: torch.dtype) -> Iterator[Case]:
    return (case for case in cases(dtype, extreme=False))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_the_twins_give_the_same_numbers(dtype: torch.dtype, tolerance: float) -> None:
    for case in both(dtype):
        (result, written), (expected, reference) = run(case, COMPILED[0]), run(case, TORCH)
        if expected is not None:
            assert result == pytest.approx(expected, rel=tolerance), f"{case}"
        for one, two in zip(written, reference, strict=True):
            # Sums of many terms are as good as their largest partial sum.
            scale = max(1.0, float(two.abs().max()) if two.numel() else 1.0)
            torch.testing.assert_close(
                one, two, rtol=tolerance, atol=tolerance * scale, msg=f"{case}", equal_nan=True
            )


@each_type
@pytest.mark.parametrize("on", [*COMPILED[:1], TORCH])
def test_what_lay_in_the_room_for_a_result_does_not_matter(on: str, dtype: torch.dtype) -> None:
    for case in both(dtype):
        (result, written), (expected, reference) = run(case, on, 7.0), run(case, on, math.nan)
        assert same(result, expected), f"{case}"
        for one, two in zip(written, reference, strict=True):
            assert torch.equal(bits(one), bits(two)), f"{case}"


@each_type
@pytest.mark.parametrize("on", [*COMPILED[:1], TORCH])
def test_what_is_only_read_is_left_as_it_was(on: str, dtype: torch.dtype) -> None:
    for case in both(dtype):
        arguments, written = case.fresh()
        addresses = {tensor.data_ptr() for tensor in written}
        tensors = [a for a in arguments if isinstance(a, Tensor)]
        read = [tensor for tensor in tensors if tensor.data_ptr() not in addresses]
        before = [tensor.clone() for tensor in read]
        with arithmetic(on):
            call(case.kernel, dtype, *arguments)
        for tensor, was in zip(read, before, strict=True):
            assert torch.equal(tensor, was), f"{case}"
