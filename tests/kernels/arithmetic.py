"""Which arithmetic a test runs: a level, the twins, or vectors that no level has.

Run as a script with the name of one of SHAPES, it compiles that one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.kernels import compiler, levels

CACHE = Path(__file__).parents[2] / ".pytest_cache" / "kernels"
_FLAGS = "-march=native", "-mno-avx512f", "-O1", "-Wall", "-Wextra", "-Werror"
_SANITIZE = "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"
SHAPES = {
    # As in compiler.LEVELS; without a warning, too.
    "narrow": (16, 6, 4, _FLAGS),
    "wide": (64, 4, 2, (*_FLAGS, "-Wno-psabi")),
    "sanitised": (32, 6, 2, (*_FLAGS, "-Wno-psabi", *_SANITIZE)),
}
COMPILED = compiler.processor_levels() if compiler.compiler() else []
WIDTHS = "narrow", "wide"
C_AND_TWIN = [*COMPILED[:1], levels.TORCH]
"""All compiled levels give the same bits (test_levels), so one of them is enough elsewhere."""

each_arithmetic = pytest.mark.parametrize("on", C_AND_TWIN, indirect=True)
on_c = pytest.mark.parametrize("on", COMPILED[:1], indirect=True)
needs_a_compiler = pytest.mark.skipif(not COMPILED, reason="no C compiler")


@contextmanager
def arithmetic(name: str) -> Iterator[None]:
    """Kernels run by a level, by `torch`, or by one of SHAPES."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(levels.VARIABLE, name)
        if name in SHAPES:
            patch.setenv("XDG_CACHE_HOME", str(CACHE / name))
            patch.setitem(compiler.LEVELS, name, SHAPES[name])
            patch.setattr(compiler, "processor_levels", lambda: [*COMPILED, name])
        yield


if __name__ == "__main__":
    with arithmetic(sys.argv[1]):
        for bits in (32, 64):
            compiler.load(sys.argv[1], bits)
