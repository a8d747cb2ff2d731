from __future__ import annotations

import os

import pytest

from bench.execution.cores import available_cores


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})


def plant(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("content", "cores"),
    [
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("900000 100000\n", 4),
        ("max 100000\n", 4),
        ("garbage\n", 4),
        ("0 100000\n", 4),
        ("100000 0\n", 4),
        ("-1 100000\n", 4),
        ("1e5 100000\n", 4),
        ("100000\n", 4),
        ("100000 100000 100000\n", 4),
        ("", 4),
    ],
)
def test_a_containers_quota_counts(tmp_path, four_cores, content, cores):
    assert available_cores(plant(tmp_path, {"sys/fs/cgroup/cpu.max": content})) == cores


def test_a_container_of_version_1_has_two_files(tmp_path, four_cores):
    folder = "sys/fs/cgroup/cpu"
    period = {f"{folder}/cpu.cfs_period_us": "100000\n"}
    plant(tmp_path, period | {f"{folder}/cpu.cfs_quota_us": "150000\n"})
    assert available_cores(tmp_path) == 2
    plant(tmp_path, {f"{folder}/cpu.cfs_quota_us": "-1\n"})
    assert available_cores(tmp_path) == 4


def test_the_quota_of_a_group_above_counts(tmp_path, four_cores):
    groups = {
        "proc/self/cgroup": "0::/slice/job\n",
        "sys/fs/cgroup/slice/job/cpu.max": "max 100000\n",
        "sys/fs/cgroup/slice/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/other/cpu.max": "100000 100000\n",
    }
    assert available_cores(plant(tmp_path, groups)) == 3


def test_a_file_that_is_none_of_the_kernels_says_nothing(tmp_path, four_cores):
    assert available_cores(tmp_path / "absent") == 4
    (tmp_path / "sys/fs/cgroup/cpu.max").mkdir(parents=True)
    assert available_cores(tmp_path) == 4


def test_a_process_bound_to_one_core_uses_one(tmp_path):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert available_cores(tmp_path / "absent") == 1
    finally:
        os.sched_setaffinity(0, before)
