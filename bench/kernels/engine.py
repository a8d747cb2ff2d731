"""The one way to a kernel: the C of the chosen level, or its PyTorch twin.

The C function and the twin of that name take the same arguments in the same order: sizes as int,
scalars as float, arrays as contiguous tensors of `dtype` (or as the source says), and None where
the source allows NULL.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import Tensor

from bench.kernels.levels import TORCH, level, library

_RESULTS: dict[str, Any] = {
    **dict.fromkeys(
        ("rnn_forward", "lstm_forward", "gru_forward", "stack_forward", "all_finite"), ctypes.c_long
    ),
    **dict.fromkeys(
        ("norm", "sum_of_squares", "softmax_cross_entropy", "mean_squared_error"),
        ctypes.c_double,
    ),
}
_C_TYPES: dict[type, Any] = {int: ctypes.c_long, float: ctypes.c_double}
"""The others are arrays; an argument of a kernel is always of one kind."""
Argument: TypeAlias = Tensor | list[Tensor] | int | float | None


def call(name: str, dtype: torch.dtype, *arguments: Argument) -> Any:
    """Run the kernel `name` for float32 or float64."""
    chosen = level()
    if chosen == TORCH:
        return _twin(name)(*arguments)
    function = _function(chosen, 64 if dtype == torch.float64 else 32, name)
    if function.argtypes is None:
        function.argtypes = [
            _C_TYPES.get(type(argument), ctypes.c_void_p) for argument in arguments
        ]
    # By exact type first: hundreds of arguments a step, and most are neither.
    return function(*(a if type(a) in _C_TYPES or a is None else _address(a) for a in arguments))


def expect(dtype: torch.dtype, *arrays: tuple[Tensor, tuple[int, ...]]) -> None:
    """A kernel believes what it is told, so tell it nothing wrong: raise ValueError.

    `arrays` are tensors with the shapes that they should have.
    """
    for tensor, shape in arrays:
        if tensor.dtype != dtype or tensor.shape != shape:
            found = f"{tensor.dtype} {tuple(tensor.shape)}"
            raise ValueError(f"{found} where {dtype} {tuple(shape)} is needed")


@cache
def _function(chosen: str, bits: int, name: str) -> Any:
    function = getattr(library(chosen, bits), name)
    function.restype = _RESULTS.get(name)
    return function


@cache
def _twin(name: str) -> Callable[..., Any]:
    from bench.kernels import twins

    function: Callable[..., Any] = getattr(twins, name)
    return function


def _address(argument: Any) -> Any:
    """A kernel reads memory as it lies there."""
    if isinstance(argument, list):
        return (ctypes.c_void_p * len(argument))(*map(_address, argument))
    if not argument.is_contiguous():
        raise ValueError(f"a kernel needs a contiguous tensor, not strides {argument.stride()}")
    return argument.data_ptr()
