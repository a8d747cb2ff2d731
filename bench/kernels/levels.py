"""Which arithmetic runs: the C kernels, built for one width of vectors, or their PyTorch twins.

BENCH_KERNELS = avx512 | avx2 | scalar | torch chooses; the default is the best that the processor
and a C compiler allow. All but `torch` give the same bits. Nothing here imports torch.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

from bench.kernels import compiler
from bench.records import BadInput

VARIABLE = "BENCH_KERNELS"
TORCH = "torch"


def level() -> str:
    """avx512, avx2, scalar or torch. Raises BadInput where BENCH_KERNELS cannot be had."""
    return _level(os.environ.get(VARIABLE, ""))


def why_torch() -> str:
    """Why the twins run though nobody asked for them, in one line; empty where they do not."""
    return _reason() if level() == TORCH and not os.environ.get(VARIABLE) else ""


@cache
def _level(wanted: str) -> str:
    possible = compiler.processor_levels()
    if not wanted:
        return possible[0] if not _reason() else TORCH
    if wanted == TORCH:
        return TORCH
    if wanted not in compiler.LEVELS:
        names = ", ".join((*compiler.LEVELS, TORCH))
        raise BadInput(f"{VARIABLE}={wanted}: choose one of {names}, or unset it")
    if wanted not in possible:
        raise BadInput(
            f"{VARIABLE}={wanted}: this processor has no such instructions; "
            f"choose {', '.join((*possible, TORCH))}, or unset it"
        )
    return wanted


@cache
def _reason() -> str:
    """Why the best kernels cannot be had."""
    try:
        compiler.load(compiler.processor_levels()[0], 32)
    except compiler.CannotCompile as error:
        return str(error)
    return ""


@cache
def library(chosen: str, bits: int) -> ctypes.CDLL:
    """The compiled kernels of a level other than torch, for float32 or float64."""
    try:
        return compiler.load(chosen, bits)
    except compiler.CannotCompile as error:
        raise BadInput(f"{error}; mend that, or set {VARIABLE}={TORCH}") from None


def in_words() -> str:
    """ "avx2 (gcc (Debian 12.2.0-14) 12.2.0)", or "torch"."""
    chosen = level()
    return chosen if chosen == TORCH else f"{chosen} ({compiler.compiler_version()})"
