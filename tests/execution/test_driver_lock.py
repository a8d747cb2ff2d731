"""Two drivers on one store: the second is refused, whatever became of those before them."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.execution.driver_lock import LOCK_FILE, driver_lock
from bench.records import BadInput
from bench.results.store import Store, check_folder

HOLDER = """
import sys
from pathlib import Path
from bench.execution.driver_lock import driver_lock
with driver_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def test_the_second_is_told_the_process_of_the_first(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with held_by_another(tmp_path) as other:
        for _ in range(2):  # a refusal changes nothing
            with pytest.raises(BadInput) as caught, driver_lock(tmp_path):
                raise AssertionError("two drivers")
            assert f"results={tmp_path}: another bench run (process {other.pid}) is" in str(
                caught.value
            )
        Store(tmp_path).close()  # a reader is not asked


def test_a_killed_driver_holds_nothing(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with driver_lock(tmp_path):
            assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
    with driver_lock(tmp_path):
        pass


def test_no_child_inherits_it(tmp_path: Path) -> None:
    """A worker may outlive the driver by some seconds, a mirror by more."""
    with driver_lock(tmp_path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with driver_lock(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def none_here(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none_here)
    with driver_lock(tmp_path), driver_lock(tmp_path):
        pass


def test_a_lock_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).mkdir()
    with driver_lock(tmp_path):
        pass


def test_the_file_that_stays_is_no_other_data(tmp_path: Path) -> None:
    with driver_lock(tmp_path):
        pass
    check_folder(tmp_path)
