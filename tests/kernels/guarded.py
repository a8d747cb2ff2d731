"""Runs every kernel on arrays between pages that must not be touched; a script, as it may crash.

Each runs twice: the arrays touch such a page with their start, and with their end. The last line
printed names the case that was running.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
from functools import partial
from itertools import product

import torch
from torch import Tensor

from bench.kernels.engine import call
from tests.kernels.catalogue import cases

LIBC = ctypes.CDLL(None, use_errno=True)
PROT_NONE = 0
KEPT: list[mmap.mmap] = []  # of one case; a tensor does not hold its memory


def place(tensor: Tensor, at: str) -> Tensor:
    """A copy of `tensor` that begins or ends where the process may not read or write."""
    size = max(1, tensor.numel()) * tensor.element_size()
    pages = -(-size // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 2) * mmap.PAGESIZE)
    KEPT.append(memory)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages + 1):
        guard = ctypes.c_void_p(address + page * mmap.PAGESIZE)
        if LIBC.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = mmap.PAGESIZE if at == "start" else (pages + 1) * mmap.PAGESIZE - size
    count = max(1, tensor.numel())
    copy = torch.frombuffer(memory, dtype=tensor.dtype, count=count, offset=offset)
    copy = copy[: tensor.numel()].view(tensor.shape)
    copy.copy_(tensor)
    return copy


def main() -> None:
    faulthandler.enable()
    for at, dtype in product(("start", "end"), (torch.float32, torch.float64)):
        for case in cases(dtype, extreme=False):
            print(at, case, flush=True)
            arguments, _ = case.fresh(place=partial(place, at=at))
            call(case.kernel, dtype, *arguments)
            del arguments
            KEPT.clear()
    print("all done")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
