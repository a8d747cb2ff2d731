"""Many processes on one store, and processes that are killed: every row is whole, none is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.results.checking import check
from bench.results.store import Store
from tests.results import made_up_runs as made_up

ROOT = Path(__file__).parents[2]

# Puts `count` runs with seeds from `first` on, and names each one on stdout once it is stored.
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.results import made_up_runs as made_up
from bench.results.store import Store
folder, first, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with Store.open(folder) as store:
    for seed in range(first, first + count):
        spec = made_up.spec(seed)
        store.put(made_up.record(spec, rows=200), made_up.provenance(spec))
        print(spec.run_id, flush=True)
"""


@contextmanager
def writer(folder: Path, first: int, count: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITER, str(ROOT), str(folder), str(first), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_whole(folder: Path, stored: set[str]) -> None:
    """Everything that a writer said it had stored is there, and all that is there is whole."""
    found = check(folder)
    assert found.findings == ()
    assert found.superseded == 0
    with Store(folder) as store:
        assert stored <= set(store.digests())


@pytest.mark.usefixtures("member_files")
def test_four_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    # They also race to make the store, which none of them finds.
    folder = tmp_path / "store"
    stored: set[str] = set()
    with (
        writer(folder, 0, 50) as one,
        writer(folder, 50, 50) as two,
        writer(folder, 100, 50) as three,
        writer(folder, 150, 50) as four,
    ):
        for process in (one, two, three, four):
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0
            stored |= set(output.split())
    assert stored == {made_up.spec(seed).run_id for seed in range(200)}
    assert_whole(folder, stored)
    assert check(folder).counts == {"current": 200}


@pytest.mark.usefixtures("member_files")
def test_a_reader_sees_whole_runs_while_another_process_writes(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    counts = []
    with writer(tmp_path, 0, 60) as process, Store(tmp_path) as store:
        before = store.data_version()
        while process.poll() is None:
            runs = list(store.rows())
            counts.append(len(runs))
            assert all(run.record.digest == run.record_digest for run in runs)
        assert process.returncode == 0
        assert store.data_version() != before
        assert len(list(store.rows())) == 60
    assert counts == sorted(counts)


def kill_at_random_moments(folder: Path, kills: int) -> None:
    """Each time a writer of up to 1000 runs is killed within the time that about 30 take."""
    random_moment = random.Random(20240607).random
    stored: set[str] = set()
    for number in range(kills):
        with writer(folder, 1000 * number, 1000) as process:
            assert process.stdout is not None
            stored.add(process.stdout.readline().strip())
            time.sleep(0.1 * random_moment())
            process.send_signal(signal.SIGKILL)
            # A name that was cut short by the kill is no promise.
            lines = process.stdout.read().splitlines(keepends=True)
            stored |= {line.strip() for line in lines if line.endswith("\n")}
            assert process.wait() == -signal.SIGKILL
        with Store(folder) as store:
            assert stored <= set(store.digests())
    assert_whole(folder, stored)


@pytest.mark.usefixtures("member_files")
def test_a_killed_writer_leaves_whole_runs_alone(tmp_path: Path) -> None:
    kill_at_random_moments(tmp_path / "store", 15)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("member_files")
def test_hundreds_of_kills(tmp_path: Path) -> None:
    kill_at_random_moments(tmp_path / "store", 400)


@pytest.mark.usefixtures("member_files")
def test_a_writer_killed_while_it_makes_the_store(tmp_path: Path) -> None:
    """Stopped by the size limit of files at every length its files can have, then made anew."""
    script = (
        "import resource, signal, sys; size = int(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "from bench.results.store import Store; Store.open(sys.argv[1])"
    )
    sizes = [0, 100, 600, 4096, 8192, 12288, 14000]
    codes = []
    for size in sizes:
        folder = tmp_path / str(size)
        command = [sys.executable, "-c", script, str(folder), str(size)]
        codes.append(subprocess.run(command, stderr=subprocess.DEVNULL).returncode)
        with Store.open(folder) as store:
            store.put(made_up.record(), made_up.provenance())
        assert_whole(folder, {made_up.spec().run_id})
    assert -signal.SIGXFSZ in codes


READ_ONLY = """
import os, sys
from pathlib import Path
from bench.records import BadInput
from bench.results.store import Store, check_folder
if os.geteuid() == 0:  # whom no permission stops
    os.setgid(65534), os.setuid(65534)
with Store(sys.argv[1]) as store:
    print(*store.digests())
for call, folder in ((check_folder, Path(sys.argv[1], "new")), (Store.open, Path(sys.argv[1]))):
    try:
        call(folder)
    except BadInput as error:
        print(error)
"""


def test_a_folder_that_may_only_be_read() -> None:
    """A store on a read-only medium can be read, and is refused in one line for writing."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Store.open(folder) as store:
            store.put(made_up.record(), made_up.provenance())
        folder.chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, name]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        folder.chmod(0o755)
        assert output.splitlines() == [
            made_up.spec().run_id,
            f"results={folder / 'new'}: {folder} cannot be written to; give another folder",
            f"results={folder}: {folder} cannot be written to; give another folder",
        ]
