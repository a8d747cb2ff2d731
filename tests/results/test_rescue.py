"""A store that is deleted, moved or replaced while it is written loses nothing and says so."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bench.records import RunRecord
from bench.results.checking import check
from bench.results.store import Store, StoreLost
from tests.results import made_up_runs as made_up

pytestmark = pytest.mark.usefixtures("member_files")

RECORDS = [made_up.record(made_up.spec(seed), rows=300) for seed in range(4)]


def put(store: Store, record: RunRecord) -> None:
    store.put(record, made_up.provenance(record.spec))


def digests(folder: Path) -> dict[str, str]:
    """What a reader finds there, all of it whole."""
    assert check(folder).findings == ()
    with Store(folder) as store:
        return store.digests()


def expected(*records: RunRecord) -> dict[str, str]:
    return {record.spec.run_id: record.digest for record in records}


def delete(folder: Path) -> None:
    shutil.rmtree(folder)


def delete_the_file_alone(folder: Path) -> None:
    (folder / "results.sqlite").unlink()


def move(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("lose", [delete, delete_the_file_alone, move])
def test_the_runs_are_written_there_again_with_the_one_just_put(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    folder = tmp_path / "deep" / "store"
    with Store.open(folder) as store:
        for record in RECORDS[:2]:
            put(store, record)
        lose(folder)
        with pytest.raises(StoreLost) as caught:
            put(store, RECORDS[2])
    message = str(caught.value)
    assert message.startswith(f"results={folder}: the store was deleted or moved")
    assert "the runs up to now (3) were written there again" in message
    assert "\n" not in message
    assert digests(folder) == expected(*RECORDS[:3])
    with Store.open(folder) as store:  # and the next driver goes on from them
        put(store, RECORDS[3])
    assert digests(folder) == expected(*RECORDS)
    if lose is move:
        assert digests(tmp_path / "deep" / "elsewhere") == expected(*RECORDS[:3])


def test_it_is_noticed_at_the_end_where_no_run_came_after(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store.open(folder) as store:
        put(store, RECORDS[0])
        store.check_place()
        delete(folder)
        with pytest.raises(StoreLost):
            store.check_place()
    assert digests(folder) == expected(RECORDS[0])


def test_another_store_in_its_place_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    old = Store.open(folder)
    put(old, RECORDS[0])
    delete(folder)
    with Store.open(folder) as new:
        put(new, RECORDS[1])
        with pytest.raises(StoreLost, match="another store was put there") as caught:
            put(old, RECORDS[2])
        old.close()
        # As another process sees it, while the log of the new store holds all there is.
        code = (
            "import sys; from bench.results.store import Store; "
            "print(*Store(sys.argv[1]).digests())"
        )
        command = [sys.executable, "-c", code, str(folder)]
        seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert seen.split() == [RECORDS[1].spec.run_id]
        put(new, RECORDS[3])
    assert digests(folder) == expected(RECORDS[1], RECORDS[3])
    assert str(tmp_path / "store.rescued") in str(caught.value)
    assert digests(tmp_path / "store.rescued") == expected(RECORDS[0], RECORDS[2])


def test_where_nothing_can_be_written_it_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "above" / "store"
    with Store.open(folder) as store:
        put(store, RECORDS[0])
        delete(folder.parent)
        folder.parent.write_text("a file in the way")
        with pytest.raises(StoreLost, match="cannot be written there again") as caught:
            put(store, RECORDS[1])
    assert "\n" not in str(caught.value)


def test_a_store_that_stays_is_not_disturbed(tmp_path: Path) -> None:
    """Its files may be looked at, copied, and moved back and forth between two runs."""
    folder = tmp_path / "store"
    with Store.open(folder) as store:
        put(store, RECORDS[0])
        shutil.copytree(folder, tmp_path / "copy")
        move(folder)
        (tmp_path / "elsewhere").rename(folder)
        with closing(sqlite3.connect(folder / "results.sqlite")) as other:
            assert other.execute("SELECT count(*) FROM runs").fetchone() == (1,)
        put(store, RECORDS[1])
    assert digests(folder) == expected(*RECORDS[:2])
