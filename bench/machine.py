"""What this process may use of the machine: the kernel's word, and that of its control groups.

A container, a SLURM job or a systemd slice has limits that the machine's totals do not show. They
stand in control groups, in one of two layouts (version 1, version 2), and every group above a
process limits it too. A file that is absent, or says what nobody expects, says nothing.
"""

from __future__ import annotations

import ctypes
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path("/")
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h
_NUMBER = re.compile(r"[0-9]{1,30}")
_NO_LIMIT = 2**60  # bytes: version 1 has a word for no limit that is a number beyond this one

_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
_VERSION_2 = ("memory.max", "memory.current", "")
"""The files of limit and use, and how the names in memory.stat begin, of a group with all in it."""


def available_memory(root: Path = ROOT) -> int | None:
    """Bytes that this process may still take: the least that machine and control groups have left.

    None where nothing says. `root` stands for `/`.
    """
    left = [_left_on_the_machine(root)]
    left += [_left_in(group, *_VERSION_2) for group in control_groups("", root)]
    left += [_left_in(group, *_VERSION_1) for group in control_groups("memory", root)]
    return min((size for size in left if size is not None), default=None)


def control_groups(controller: str, root: Path = ROOT) -> Iterator[Path]:
    """The folders of this process's control group and of all above it, the innermost first.

    `controller` is "memory" or "cpu" of version 1; "" stands for version 2, which has one tree.
    """
    names = _group_names(controller, root)
    # Version 2 stands beside version 1 where a machine has both.
    for mount in [controller] if controller else ["", "unified"]:
        for depth in range(len(names), -1, -1):
            # Seen from inside a container the outer names may not be there: then the mount is it.
            yield (root / "sys/fs/cgroup" / mount).joinpath(*names[:depth])


def text_of(file: Path) -> str:
    """The content of a file of the kernel's; nothing where it cannot be read."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _left_on_the_machine(root: Path) -> int | None:
    if sys.platform != "linux":
        import psutil

        return int(psutil.virtual_memory().available)
    found = re.search(r"^MemAvailable:\s*([0-9]+) kB$", text_of(root / "proc/meminfo"), re.M)
    return 1024 * int(found[1]) if found else None


def _left_in(group: Path, limit_file: str, use_file: str, prefix: str) -> int | None:
    """None without a limit, for which version 2 has the word "max"."""
    limit, use = text_of(group / limit_file).strip(), text_of(group / use_file).strip()
    if not (_NUMBER.fullmatch(limit) and _NUMBER.fullmatch(use)) or int(limit) >= _NO_LIMIT:
        return None
    # The page cache counts as used until somebody needs the memory; MemAvailable leaves it out too.
    cache = re.findall(
        rf"^{prefix}(?:in)?active_file ([0-9]+)$", text_of(group / "memory.stat"), re.M
    )
    return max(0, int(limit) - int(use) + sum(map(int, cache)))


def _group_names(controller: str, root: Path) -> list[str]:
    """["user.slice", "job"] for the line "4:memory:/user.slice/job" of the process."""
    for line in text_of(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controller in controllers.split(","):
            return [name for name in path.split("/") if name not in ("", "..")]
    return []


def forget_peak_memory() -> None:
    """Let `peak_memory` count from now on, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """The most bytes that this process has held at a time."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024  # kB
    # Counts what the process was before exec too, so that a large driver makes large workers.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident_memory() -> int:
    """Bytes that this process holds now; 0 where nothing says."""
    found = re.search(r"^VmRSS:\s*([0-9]+) kB$", text_of(ROOT / "proc/self/status"), re.M)
    return 1024 * int(found[1]) if found else 0


def keep_freed_memory() -> None:
    """Let freed memory be used again rather than given back and asked for anew at every update.

    The C library maps every large array afresh, and the system clears it page by page: a tenth to
    a quarter of a long sequence's time. Of this process only; nothing where it is not glibc.
    """
    with suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**30)
