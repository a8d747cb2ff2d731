"""How many cores this process may use."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bench.machine import ROOT, control_groups, text_of


def available_cores(root: Path = ROOT) -> int:
    """The cores it is bound to, or fewer where a control group has a quota of their time.

    `root` stands for `/`.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min([cores, *_quotas(root)]))


def _quotas(root: Path) -> Iterator[int]:
    """Of every control group that has one: microseconds in a period, as a number of cores."""
    said = [text_of(group / "cpu.max") for group in control_groups("", root)]
    said += [
        f"{text_of(group / 'cpu.cfs_quota_us')} {text_of(group / 'cpu.cfs_period_us')}"
        for group in control_groups("cpu", root)
    ]
    for text in said:
        # "max 100000" and "-1 100000" are no quota, and neither is what nobody expects.
        if found := re.fullmatch(r"0*([1-9][0-9]{0,18})\s+0*([1-9][0-9]{0,18})\s*", text):
            yield math.ceil(int(found[1]) / int(found[2]))
