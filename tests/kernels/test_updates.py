"""The optimisers' kernels: the bits of torch's + - x / sqrt, one rounding each."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bench.kernels import updates
from bench.kernels.levels import TORCH
from tests.kernels.arithmetic import COMPILED, arithmetic, each_arithmetic, needs_a_compiler

SIZE = 1003  # a multiple of no vector's width
Move = Callable[[list[Tensor]], None]  # on parameters, gradients, and two vectors of memory
MOVES: dict[str, Move] = {
    "sgd": lambda v: updates.sgd(v[0], v[1], 0.1),
    "momentum": lambda v: updates.momentum(v[0], v[1], v[2], 0.1, 0.9),
    "rmsprop": lambda v: updates.rmsprop(v[0], v[1], v[3], 0.1, 0.99, 1e-8),
    "adam": lambda v: updates.adam(*v, 0.1, (0.9, 0.999), (0.9**7, 0.999**7), 1e-8),
}
each_move = pytest.mark.parametrize("name", MOVES)
each_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def vectors(dtype: torch.dtype, seed: int = 0) -> list[Tensor]:
    """Of every size that the type holds; squares are never negative."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(4, SIZE, generator=generator, dtype=torch.float64)
    span = 44 if dtype == torch.float32 else 300
    drawn *= 10.0 ** (span * (2 * torch.rand(4, SIZE, generator=generator) - 1))
    drawn[1, ::17] = math.inf
    drawn[1, 3::17] = math.nan
    drawn[1, 5::17] = 0
    drawn[3].abs_()
    return list(drawn.to(dtype))


@needs_a_compiler
@each_move
@each_type
@pytest.mark.parametrize("seed", range(3))
def test_the_c_has_the_bits_of_the_twin(name: str, dtype: torch.dtype, seed: int) -> None:
    found = []
    for on in (COMPILED[0], TORCH):
        moved = vectors(dtype, seed)
        with arithmetic(on):
            for _ in range(3):
                MOVES[name](moved)
        found.append(moved)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one.isnan(), other.isnan())
        assert torch.equal(one[~one.isnan()], other[~one.isnan()])
    assert (found[0][0] != vectors(dtype, seed)[0]).sum() > SIZE / 4


@each_arithmetic
@each_move
@each_type
def test_each_coordinate_moves_by_itself(on: str, name: str, dtype: torch.dtype) -> None:
    together, order = (
        vectors(dtype),
        torch.randperm(SIZE, generator=torch.Generator().manual_seed(1)),
    )
    shuffled = [vector[order] for vector in together]
    for moved in (together, shuffled):
        MOVES[name](moved)
    for one, other in zip(together, shuffled, strict=True):
        assert torch.equal(one[order].nan_to_num(), other.nan_to_num())


@each_arithmetic
@each_move
def test_a_vector_that_is_not_in_one_piece_is_refused(on: str, name: str) -> None:
    """A copy would be moved in its stead."""
    if on == TORCH:
        return
    with pytest.raises(ValueError, match="contiguous"):
        MOVES[name]([torch.ones(8)[::2] for _ in range(4)])


@each_arithmetic
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", 1 - 0.1 * 2),
        ("momentum", 1 - 0.1 * (0.9 * 3 + 2)),
        ("rmsprop", 1 - 0.1 * 2 / (math.sqrt(0.99 * 5 + 0.01 * 4) + 1e-8)),
        (
            "adam",
            1
            - 0.1
            * ((0.9 * 3 + 0.1 * 2) / (1 - 0.9**7))
            / (math.sqrt((0.999 * 5 + 0.001 * 4) / (1 - 0.999**7)) + 1e-8),
        ),
    ],
)
def test_one_update_in_closed_form(on: str, name: str, expected: float) -> None:
    given = [torch.full((5,), value, dtype=torch.float64) for value in (1.0, 2.0, 3.0, 5.0)]
    MOVES[name](given)
    assert given[0].tolist() == pytest.approx([expected] * 5, rel=1e-14)
