"""The ledger of what was mirrored: what is in it, and files that can be none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bench.records import BadInput
from bench.results import mirroring
from bench.results.ledger import LONGEST_NOTE, DiskFullError, Ledger, LedgerError
from tests.results.mirrored import offline_runs, put_many, records

DAMAGE = {
    "no database": lambda file: file.write_bytes(b"nonsense " * 1000),
    "overwritten inside": lambda file: file.write_bytes(
        file.read_bytes()[:1024] + b"\xff" * (file.stat().st_size - 1024)
    ),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "another table": lambda file: _with_another_table(file),
}


def _with_another_table(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE mirrored (other TEXT)")
    connection.close()


def fill(ledger: Ledger, count: int) -> None:
    for number in range(count):
        ledger.add(f"run {number}", "there", "digest" * 20)


def use(folder: Path) -> None:
    with Ledger(folder) as ledger:
        ledger.missing({"a": "1"}, "there")
        fill(ledger, 1)


def test_what_was_mirrored_is_missing_where_it_changed(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.add("a", "there", "1")
        ledger.add("b", "there", "1")
        ledger.add("b", "elsewhere", "2")
        assert ledger.missing({"a": "1", "b": "2", "c": "1"}, "there") == ["b", "c"]
    with Ledger(tmp_path) as ledger:
        assert ledger.mirrored("elsewhere") == {"b": "2"}


def test_a_problem_is_one_line_without_passwords(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        before = ledger.num_notes()
        ledger.note_problem("two\nlines\x1b[31m of https://user:hunter2@host/x " + "and more " * 99)
        told = ledger.last_problem(before)
        assert told is not None
        assert told.startswith("two lines [31m of https://host/x and more and")
        assert len(told) == LONGEST_NOTE
        ledger.note_step("a step is no problem")
        assert ledger.last_problem(before) == told
        assert ledger.last_problem(ledger.num_notes()) is None


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_ledger_is_told_with_what_mends_it(tmp_path: Path, how: str) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 200)
    file = tmp_path / "wandb" / "mirror.sqlite"
    DAMAGE[how](file)
    with pytest.raises(LedgerError) as caught:
        use(tmp_path)
    assert str(caught.value).startswith(f"{file} is damaged (")
    assert str(caught.value).endswith(
        "delete it, and every run is mirrored again, in place of itself"
    )
    file.unlink()
    with Ledger(tmp_path) as ledger:
        assert ledger.mirrored("there") == {}


@pytest.mark.usefixtures("nobodys_environment")
def test_what_mends_a_damaged_ledger_mends_it(tmp_path: Path) -> None:
    """No run is doubled, and nobody but the mirror was stopped by it."""
    folder = tmp_path / "store"
    put_many(folder, 3)
    mirroring.sync(folder, "offline")
    file = folder / "wandb" / "mirror.sqlite"
    file.write_bytes(b"nonsense " * 1000)
    for report in (mirroring.start(folder, "offline").finish(), mirroring.state(folder, "offline")):
        assert (report.mirrored, report.missing) == (0, 3)
        assert f"{file} is damaged (file is not a database); delete it" in str(report)
        assert "\n" not in str(report)
    with pytest.raises(BadInput, match="delete it"):
        mirroring.sync(folder, "offline")
    file.unlink()
    assert mirroring.sync(folder, "offline").missing == 0
    assert offline_runs(folder) == sorted(records(folder))


def test_a_full_disk_has_an_error_of_its_own(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger._execute("PRAGMA max_page_count=8")
        with pytest.raises(DiskFullError, match=r"wandb: the disk is full$"):
            fill(ledger, 1000)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "wandb").touch()
    with pytest.raises(LedgerError, match=r"wandb: File exists; make it a folder"):
        Ledger(tmp_path)
    (tmp_path / "wandb").unlink()
    (tmp_path / "wandb" / "mirror.sqlite").mkdir(parents=True)
    with pytest.raises(LedgerError, match=r"wandb: unable to open .*; make it a folder"):
        Ledger(tmp_path)
