"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # "QUOTA PERIOD" in microseconds, or "max PERIOD"


def available_cores(cpu_max: Path = CPU_MAX) -> int:
    """The cores it is bound to, or fewer where its container has a quota of their time."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(cpu_max)))


def _quota(cpu_max: Path) -> int:
    try:
        quota, period = cpu_max.read_text().split()
    except OSError:
        return os.cpu_count() or 1
    return os.cpu_count() or 1 if quota == "max" else math.ceil(int(quota) / int(period))
