from __future__ import annotations

import os

import pytest

from bench.execution.cores import available_cores


@pytest.mark.parametrize(
    ("content", "most"),
    [("150000 100000\n", 2), ("10000 100000\n", 1), ("max 100000\n", 10**6)],
)
def test_a_containers_quota_counts(tmp_path, content, most):
    file = tmp_path / "cpu.max"
    file.write_text(content)
    bound_to = len(os.sched_getaffinity(0))
    assert available_cores(file) == min(bound_to, most)
    assert available_cores(tmp_path / "absent") == bound_to


def test_a_process_bound_to_one_core_uses_one(tmp_path):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert available_cores(tmp_path / "absent") == 1
    finally:
        os.sched_setaffinity(0, before)
