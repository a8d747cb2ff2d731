"""A disk that is full while runs are mirrored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import mirroring
from bench.results.ledger import Ledger
from tests.results.mirrored import have_python_begin_with, put_many

pytestmark = pytest.mark.usefixtures("nobodys_environment")

ROOT = Path(__file__).parents[2]

HAS_NO_ROOM = """
import sqlite3

connect = sqlite3.connect

def in_a_small_place(file, *arguments, **options):
    connection = connect(file, *arguments, **options)
    if str(file).endswith("mirror.sqlite"):
        connection.execute("PRAGMA max_page_count=1")
    return connection

sqlite3.connect = in_a_small_place
"""


def test_a_disk_that_is_full_is_told_in_one_line(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(folder):
        pass
    have_python_begin_with(HAS_NO_ROOM, tmp_path, monkeypatch)
    put_many(folder, 40)
    report = mirroring.sync(folder, "offline")
    assert report.missing > 0
    assert report.problem == f"{folder / 'wandb'}: the disk is full"
    assert "\n" not in str(report)
    assert (folder / "wandb" / "mirror.log").read_text() == f"{report.problem}\n"


ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bench.results import mirroring
from bench.results.wandb_sender import is_whole
from tests.results.mirrored import mirrored_offline, offline_runs, put_many, records

disk = Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", disk], check=True)
put_many(disk / "store", 60)
full = mirroring.sync(disk / "store", "offline")
print(full)
assert full.missing > 0 and "disk" in full.problem, full
kept = {path.name.split("-")[3]: path for path in disk.glob("store/wandb/offline-run-*")}
for run_id in mirrored_offline(disk / "store"):
    (file,) = kept[run_id].glob("*.wandb")
    assert is_whole(file)
subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
assert mirroring.sync(disk / "store", "offline").missing == 0
assert offline_runs(disk / "store") == sorted(records(disk / "store"))
"""


def test_what_a_full_disk_cut_short_is_not_taken_for_mirrored(tmp_path: Path) -> None:
    """wandb says nothing when it cannot write."""
    apart = ["unshare", "--map-root-user", "--mount"]  # where one may mount something
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    command = [*apart, sys.executable, "-c", ON_A_SMALL_DISK, str(ROOT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1
