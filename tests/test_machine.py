"""What a process may use, told from planted files of the kernel's."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.machine import (
    available_memory,
    control_groups,
)

GIB = 2**30
UNLIMITED = 9223372036854771712  # what version 1 says for no limit


def plant(root: Path, files: dict[str, str | int]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{content}\n")
    return root


def machine(kib: int) -> dict[str, str | int]:
    return {"proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable:   {kib} kB\nBuffers: 1 kB"}


def version_2(group: str, limit: object, used: object, stat: str = "anon 7") -> dict[str, str]:
    folder = f"sys/fs/cgroup/{group}"
    return {
        f"{folder}/memory.max": str(limit),
        f"{folder}/memory.current": str(used),
        f"{folder}/memory.stat": stat,
    }


def version_1(group: str, limit: object, used: object, stat: str = "cache 7") -> dict[str, str]:
    folder = f"sys/fs/cgroup/memory/{group}"
    return {
        f"{folder}/memory.limit_in_bytes": str(limit),
        f"{folder}/memory.usage_in_bytes": str(used),
        f"{folder}/memory.stat": stat,
    }


def test_this_machine_says_as_much_as_it_has() -> None:
    available = available_memory()
    assert available is not None
    assert 0 < available <= psutil.virtual_memory().total


def test_without_control_groups_it_is_what_the_kernel_says(tmp_path: Path) -> None:
    assert available_memory(plant(tmp_path, machine(3000))) == 3000 * 1024


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [
        (4 * GIB, GIB, 3 * GIB),
        (4 * GIB, 5 * GIB, 0),  # over a limit that was lowered
        ("max", GIB, 8 * GIB),
        (16 * GIB, GIB, 8 * GIB),  # more than the machine has
        ("garbage", GIB, 8 * GIB),
        (4 * GIB, "", 8 * GIB),
        ("-1", 0, 8 * GIB),
        ("", "", 8 * GIB),
    ],
)
@pytest.mark.parametrize("version", [version_1, version_2])
def test_the_lesser_of_machine_and_container_counts(
    tmp_path: Path, version: object, limit: object, used: object, expected: int
) -> None:
    assert callable(version)
    plant(tmp_path, machine(8 * GIB // 1024) | version("", limit, used))
    assert available_memory(tmp_path) == expected


def test_version_1_has_a_number_for_no_limit(tmp_path: Path) -> None:
    plant(tmp_path, version_1("", UNLIMITED, GIB))
    assert available_memory(tmp_path) is None
    plant(tmp_path, machine(8 * GIB // 1024))
    assert available_memory(tmp_path) == 8 * GIB


def test_every_group_above_the_process_limits_it(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"proc/self/cgroup": "4:memory:/job/step\n1:cpu,cpuacct:/elsewhere\n0::/slice/unit"}
        | version_2("slice/unit", "max", GIB)
        | version_2("slice", 6 * GIB, GIB)
        | version_2("other", 2 * GIB, GIB)
        | version_1("job/step", 9 * GIB, GIB),
    )
    assert available_memory(tmp_path) == 5 * GIB
    plant(tmp_path, version_1("job", 3 * GIB, GIB))
    assert available_memory(tmp_path) == 2 * GIB


def test_a_container_that_does_not_see_the_groups_above_has_its_own(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/self/cgroup": "4:memory:/docker/f00\n0::/../.."})
    plant(tmp_path, version_1("", 2 * GIB, GIB) | version_2("", 9 * GIB, GIB))
    assert available_memory(tmp_path) == GIB


def test_page_cache_is_not_in_the_way(tmp_path: Path) -> None:
    cached = f"active_file {GIB}\ninactive_file {2 * GIB}\nfile {7 * GIB}"
    plant(tmp_path, version_2("", 8 * GIB, 8 * GIB, cached))
    assert available_memory(tmp_path) == 3 * GIB
    # In version 1 only the names with total_ count what the groups below have.
    cached += f"\ntotal_active_file {GIB}\ntotal_inactive_file 0"
    plant(tmp_path, version_1("", 8 * GIB, 8 * GIB, cached))
    assert available_memory(tmp_path) == GIB


def test_a_machine_that_says_nothing_is_unknown(tmp_path: Path) -> None:
    assert available_memory(tmp_path) is None
    garbage = {"proc/meminfo": "nonsense", "proc/self/cgroup": "nonsense\n\n::\n0::"}
    assert available_memory(plant(tmp_path, garbage)) is None
    (tmp_path / "proc/meminfo").write_bytes(b"\xff\xfe")
    (tmp_path / "sys/fs/cgroup/memory.max").mkdir(parents=True)
    assert available_memory(tmp_path) is None


def test_groups_are_named_from_the_inside_out(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/self/cgroup": "3:cpu,cpuacct:/a/b\n0::/c"})
    mount = tmp_path / "sys/fs/cgroup/cpu"
    assert list(control_groups("cpu", tmp_path)) == [mount / "a/b", mount / "a", mount]
    mount = tmp_path / "sys/fs/cgroup"
    hybrid = mount / "unified"
    assert list(control_groups("", tmp_path)) == [mount / "c", mount, hybrid / "c", hybrid]


def in_a_process_of_its_own(code: str) -> str:
    """What `code` prints: here, memory that an earlier test freed would be used again."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_peak_memory_is_of_the_time_since_it_was_forgotten() -> None:
    printed = in_a_process_of_its_own(
        "from bench.machine import forget_peak_memory, peak_memory\n"
        "taken = bytearray(200_000_000)\n"
        "first = peak_memory()\n"
        "del taken\n"
        "forget_peak_memory()\n"
        "after = peak_memory()\n"
        "again = bytearray(100_000_000)\n"
        "print(first, after, peak_memory())\n"
    )
    first, after, last = map(int, printed.split())
    assert first > 200_000_000
    assert after + 0.9 * 100_000_000 < last < after + 200_000_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_kept_memory_is_used_again() -> None:
    printed = in_a_process_of_its_own(
        "import ctypes, resource\n"
        "from bench.machine import keep_freed_memory\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]\n"
        "libc.free.argtypes = [ctypes.c_void_p]\n"
        "keep_freed_memory()\n"
        "for round in range(6):\n"
        "    if round == 1:\n"
        "        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    block = libc.malloc(100_000_000)\n"
        "    ctypes.memset(block, 1, 100_000_000)\n"
        "    libc.free(block)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    assert int(printed) < 1000  # 24,000 pages a block, given back and taken anew
