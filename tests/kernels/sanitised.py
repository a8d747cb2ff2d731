"""Runs every kernel of a library built with the sanitizers; a script, as they end the process.

Prints the cases that did not free what they reserved.
"""

from __future__ import annotations

import ctypes
import sys

import torch

from bench.kernels.engine import call
from tests.kernels.arithmetic import arithmetic
from tests.kernels.catalogue import cases

SANITIZER = ctypes.CDLL(None)


def main() -> None:
    allocated = SANITIZER.__sanitizer_get_current_allocated_bytes
    allocated.restype = ctypes.c_size_t
    for dtype in (torch.float32, torch.float64):
        for case in cases(dtype, extreme=True):
            arguments, _ = case.fresh()
            print(case, file=sys.stderr, flush=True)
            call(case.kernel, dtype, *arguments)  # the first call looks the function up
            before = allocated()
            for _ in range(4):
                call(case.kernel, dtype, *arguments)
            lost = allocated() - before
            if lost > 1000:
                print("lost", case, lost)
    print("all done")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with arithmetic("sanitised"):
        main()
