"""A packed store is the store it was made from, without what was left out, and says so."""

from __future__ import annotations

import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.paths import PACKAGE
from bench.records import BadInput, LeftOut, RunRecord, RunSpec
from bench.results import currency, mirroring, packed_file
from bench.results.checking import check
from bench.results.combining import Combined, find, opened
from bench.results.opening import stores_in
from bench.results.packing import Packed, pack
from bench.results.schema import FORMAT, LEFT_OUT, PACKED, TABLES, WHOLE_FORMAT
from bench.results.store import Status, Store, check_folder
from tests.results import any_record
from tests.results import made_up_runs as made_up


def stored(folder: Path, *records: RunRecord) -> Path:
    with Store.open(folder) as store:
        for record in records:
            store.put(record, made_up.provenance(record.spec) if record.outcome.is_result else {})
    return folder


def packed(folder: Path, source: Path, *, with_tables: bool = False) -> Packed:
    with Store(source) as store:
        return pack(store, folder, with_tables=with_tables)


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    with Store(folder) as store:
        return {row["run_id"]: row for row in store.plain_rows()}


def number(folder: Path, pragma: str) -> int:
    with Store(folder) as store:
        return int(store._connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def unpack(source: Path, folder: Path) -> Path:
    """As xz -d does it."""
    folder.mkdir()
    (folder / "results.sqlite").write_bytes(lzma.decompress((source / PACKED).read_bytes()))
    return folder


@pytest.fixture
def source(tmp_path: Path, member_files: Callable[..., None]) -> Path:
    """Six runs: a diverged one that was superseded, three others, one without any table, a failed
    one."""
    plain = [made_up.record(made_up.spec(seed), solved_step=90) for seed in (1, 2, 1_000_003)]
    bare = made_up.record(made_up.spec(4), curves={}, flow={})
    first = made_up.diverged(made_up.spec(0))
    folder = stored(
        tmp_path / "source", first, first, *plain, bare, made_up.failed(made_up.spec(9))
    )
    assert check(folder).superseded == 1
    return folder


def test_what_is_packed_and_what_is_left_behind(source: Path, tmp_path: Path) -> None:
    before = rows(source)
    done = packed(tmp_path / "packed", source)
    assert (done.num_runs, done.num_without_tables) == (5, 4)
    assert done.num_bytes == done.file.stat().st_size < (source / "results.sqlite").stat().st_size
    del before[made_up.spec(9).run_id]
    for row in before.values():
        row |= {table: LEFT_OUT for table in TABLES if row[table] is not None}
    assert rows(tmp_path / "packed") == before
    found = check(tmp_path / "packed")
    assert found.findings == ()
    assert (found.counts, found.superseded, found.without_tables) == ({"current": 5}, 0, 4)


def test_with_tables_nothing_is_left_unchecked(source: Path, tmp_path: Path) -> None:
    done = packed(tmp_path / "packed", source, with_tables=True)
    assert (done.num_runs, done.num_without_tables) == (5, 0)
    found = check(tmp_path / "packed")
    assert (found.findings, found.without_tables) == ((), 0)
    assert number(tmp_path / "packed", "user_version") == WHOLE_FORMAT
    with Store(source) as one, Store(tmp_path / "packed") as other:
        for run in other.rows():
            assert run.record.digest == one.get(run.run_id).record.digest == run.record_digest


def test_left_out_is_not_the_same_as_never_recorded(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    assert number(tmp_path / "packed", "user_version") == FORMAT
    with Store(tmp_path / "packed") as store:
        told = {run.record.spec.seed: run.record for run in store.rows()}
        assert [seed for seed, record in told.items() if not record.is_without_tables] == [4]
        assert told[4].curves == {}
        assert isinstance(told[1].curves, LeftOut)
        assert isinstance(told[1].flow, LeftOut)
        assert "step" not in told[1].curves
        with pytest.raises(ValueError, match="left out"):
            _ = told[1].digest
        assert told[4].digest == made_up.record(made_up.spec(4), curves={}, flow={}).digest


def test_a_packed_store_is_packed_again(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "all", source, with_tables=True)
    assert packed(tmp_path / "few", tmp_path / "all").num_without_tables == 4
    packed(tmp_path / "direct", source)
    content = (tmp_path / "few" / PACKED).read_bytes()
    assert content == (tmp_path / "direct" / PACKED).read_bytes()
    assert packed(tmp_path / "again", tmp_path / "few", with_tables=True).num_without_tables == 4
    assert content == (tmp_path / "again" / PACKED).read_bytes()


@settings(max_examples=8, deadline=None)
@given(st.lists(any_record.records(), max_size=4), st.booleans())
def test_whatever_the_records(records: list[RunRecord], with_tables: bool) -> None:
    def status(self: Any, *, spec: RunSpec, outcome: Any, **_: Any) -> Status:
        return Status.CURRENT if outcome.is_result else Status.FAILED

    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(currency.Currency, "status", status)
        source, target = stored(Path(place) / "source", *records), Path(place) / "packed"
        kept = {key: row for key, row in rows(source).items() if is_result(row)}
        if not kept:
            with pytest.raises(BadInput, match="has no current run"):
                packed(target, source)
            return
        packed(target, source, with_tables=with_tables)
        for run_id, row in rows(target).items():
            was = kept.pop(run_id)
            for name, value in row.items():
                gone = name in TABLES and not with_tables and was[name] is not None
                assert value == (LEFT_OUT if gone else was[name])
        assert kept == {}
        assert check(target).findings == ()


def is_result(row: dict[str, Any]) -> bool:
    return row["outcome"] in ("diverged", "frozen", "completed")


PACK = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from bench.results import currency
from bench.results.packing import pack
from bench.results.store import Status, Store
currency.Currency.status = lambda self, **_: Status.CURRENT
{before}
with Store(Path(sys.argv[2])) as store:
    pack(store, Path(sys.argv[3]), with_tables=True)
"""


def pack_elsewhere(source: Path, target: Path, before: str = "", hash_seed: str = "0") -> int:
    command = [sys.executable, "-c", PACK.format(before=before), str(PACKAGE.parent)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    return subprocess.run([*command, str(source), str(target)], env=environment).returncode


@pytest.mark.usefixtures("member_files")
def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    records = [made_up.record(made_up.spec(seed, steps=400 + seed % 2)) for seed in range(12)]
    source = stored(tmp_path / "source", *records)
    with closing(sqlite3.connect(source / "results.sqlite")) as connection, connection:
        # The same rows, stored in another order, and with gaps between them.
        connection.execute("CREATE TEMP TABLE old AS SELECT * FROM runs ORDER BY seed DESC")
        connection.execute("CREATE TEMP TABLE more AS SELECT * FROM runs WHERE seed < 5")
        packed(tmp_path / "one", source, with_tables=True)
        connection.execute("DELETE FROM runs")
        connection.execute("INSERT INTO runs SELECT * FROM old")
        connection.execute("DELETE FROM runs WHERE seed < 5")
        connection.execute("INSERT INTO runs SELECT * FROM more")
    packed(tmp_path / "two", source, with_tables=True)
    assert pack_elsewhere(source, tmp_path / "three", hash_seed="17") == 0
    contents = {(tmp_path / name / PACKED).read_bytes() for name in ("one", "two", "three")}
    assert len(contents) == 1


@pytest.mark.parametrize(
    "point", ["lzma.compress", "pathlib.Path.open", "os.fsync", "pathlib.Path.replace"]
)
def test_a_kill_while_it_packs_leaves_the_old_file(
    source: Path, tmp_path: Path, point: str
) -> None:
    packed(tmp_path / "packed", source)
    content = (tmp_path / "packed" / PACKED).read_bytes()
    before = f"import lzma, os, pathlib\n{point} = lambda *_, **__: os.kill(os.getpid(), 9)"
    assert pack_elsewhere(source, tmp_path / "packed", before) == -signal.SIGKILL
    assert (tmp_path / "packed" / PACKED).read_bytes() == content
    assert check(tmp_path / "packed").findings == ()


def complaint(folder: Path) -> str:
    for read in (Store, check):
        with pytest.raises(BadInput) as caught:
            read(folder)
        line = str(caught.value)
        assert "\n" not in line
        assert str(folder) in line
    return line


def test_a_packed_file_that_is_cut_short_or_altered_anywhere(source: Path, tmp_path: Path) -> None:
    file = packed(tmp_path / "packed", source, with_tables=True).file
    content = file.read_bytes()
    for length in {len(content) * place // 50 for place in range(50)} | {len(content) - 1}:
        file.write_bytes(content[:length])
        assert complaint(file.parent) == (
            f"{file}: is damaged (it ends too early); restore it from a copy"
        )
    for place in {len(content) * place // 50 for place in range(50)}:
        altered = bytearray(content)
        altered[place] ^= 0x40
        file.write_bytes(altered)
        assert complaint(file.parent).startswith(f"{file}: is damaged (")
    file.write_bytes(content + b"more")
    assert "(something follows its end)" in complaint(file.parent)
    file.write_bytes(content)
    Store(file.parent).close()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"SQLite format 3\0" + bytes(84), "is damaged (Input format not supported"),
        (lzma.compress(b""), "results.sqlite.xz is not a store of this suite"),
        (lzma.compress(b"no store"), "results.sqlite.xz is not a store of this suite"),
        (lzma.compress(b"SQLite format 3\0" + bytes(84)), "is not a store of this suite"),
    ],
)
def test_what_is_no_packed_store(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / PACKED).write_bytes(content)
    assert expected in complaint(tmp_path)


def test_what_would_fill_the_memory(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = packed(tmp_path / "packed", source).file
    size = len(lzma.decompress(file.read_bytes()))
    monkeypatch.setattr(packed_file, "LIMIT", size)
    assert check(file.parent).findings == ()
    packed(tmp_path / "packed", source)
    monkeypatch.setattr(packed_file, "LIMIT", size - 1)
    assert f"unpacks to more than {size - 1} bytes" in complaint(file.parent)
    with pytest.raises(BadInput, match="pack fewer runs"):
        packed(tmp_path / "packed", source)
    file.write_bytes(lzma.compress(bytes(10 * size)))
    assert "unpacks to more than" in complaint(file.parent)


def test_what_asks_for_a_dictionary_of_gigabytes(tmp_path: Path) -> None:
    content = bytearray(lzma.compress(b"no store"))
    end = 12 + 4 * (content[12] + 1)  # of the header of the first block, with its CRC-32
    assert content[14] == 0x21  # LZMA2, then one byte that says how large the dictionary is
    content[16] = 39  # 3 GiB
    content[end - 4 : end] = zlib.crc32(content[12 : end - 4]).to_bytes(4, "little")
    (tmp_path / PACKED).write_bytes(content)
    assert "is damaged (Memory usage limit exceeded)" in complaint(tmp_path)


def test_a_packed_store_of_a_newer_format(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    content = bytearray(lzma.decompress((tmp_path / "packed" / PACKED).read_bytes()))
    content[60:64] = (FORMAT + 1).to_bytes(4, "big")
    (tmp_path / "packed" / PACKED).write_bytes(lzma.compress(content))
    assert f"format {FORMAT + 1}" in complaint(tmp_path / "packed")


def test_damage_below_a_sound_packing_is_found(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    content = lzma.decompress((tmp_path / "packed" / PACKED).read_bytes())
    for start in (100, 4096, 8192, 12288):
        spoilt = bytearray(content)
        spoilt[start : start + 500] = b"\xff" * 500
        (tmp_path / "packed" / PACKED).write_bytes(lzma.compress(spoilt))
        assert check(tmp_path / "packed").findings


def test_a_store_that_was_packed_by_hand(source: Path, tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    content = (source / "results.sqlite").read_bytes()
    (tmp_path / "packed" / PACKED).write_bytes(lzma.compress(content))
    assert content[18] == 2  # it says that it has a log beside it
    assert rows(tmp_path / "packed") == rows(source)
    assert check(tmp_path / "packed") == check(source)


def test_reading_writes_nothing(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    with Store(tmp_path / "packed") as store:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            store._connection.execute("DELETE FROM runs")
        assert len(list(store.rows())) == 5
        assert os.listdir(tmp_path / "packed") == [PACKED]


def test_it_is_only_read(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    packed(folder, source)
    calls: list[Callable[[Path], Any]] = [check_folder, Store.open]
    for call in [*calls, lambda folder: mirroring.sync(folder, "offline")]:
        with pytest.raises(BadInput, match="is packed, for reading") as caught:
            call(folder)
        assert str(caught.value).endswith(f"unpack it with: xz -dk {folder / PACKED}")
    assert os.listdir(folder) == [PACKED]


def test_it_is_not_put_beside_what_would_be_read_instead(source: Path) -> None:
    with pytest.raises(BadInput, match=r"holds results\.sqlite, which would be read instead"):
        packed(source, source)
    assert not (source / PACKED).exists()


def test_an_unpacked_store_goes_on(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    folder = unpack(tmp_path / "packed", tmp_path / "unpacked")
    more = made_up.record(made_up.spec(77))
    known, failed = [made_up.spec(seed) for seed in (0, 1, 2, 4)], made_up.spec(9)
    with Store.open(folder) as store:
        assert store.current([*known, failed]) == {spec.run_id for spec in known}
        store.put(more, made_up.provenance(more.spec))
        store.put(made_up.record(made_up.spec(1), solved_step=90), made_up.provenance())
    found = check(folder)
    assert (found.findings, found.counts) == ((), {"current": 6})
    assert (found.without_tables, found.superseded) == (3, 1)
    with Store(folder) as store:
        assert store.get(more.spec.run_id).record.digest == more.digest


def test_an_empty_table_in_a_store_that_leaves_nothing_out_is_damage(source: Path) -> None:
    with closing(sqlite3.connect(source / "results.sqlite")) as connection, connection:
        connection.execute("UPDATE runs SET curves = x'' WHERE seed = 1")
    found = check(source)
    assert [finding.run_id for finding in found.findings] == [made_up.spec(1).run_id]
    assert found.without_tables == 0
    with Store(source) as store, pytest.raises(BadInput, match="cannot be read"):
        _ = store.get(made_up.spec(1).run_id).record.digest


def test_all_else_of_a_run_without_its_curves_is_checked(source: Path, tmp_path: Path) -> None:
    packed(tmp_path / "packed", source)
    folder = unpack(tmp_path / "packed", tmp_path / "unpacked")
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection, connection:
        connection.execute("UPDATE runs SET seed = 17 WHERE seed = 1")
    (finding,) = check(folder).findings
    assert finding == type(finding)(
        made_up.spec(1).run_id, "seed is 17, but what is stored gives 1"
    )


def test_of_two_stores_with_a_run_the_one_with_its_curves_is_taken(
    source: Path, tmp_path: Path
) -> None:
    packed(tmp_path / "few", source)
    packed(tmp_path / "all", source, with_tables=True)
    for folders in (["few", "all"], ["all", "few"], ["few", "source"]):
        with opened([tmp_path / name for name in folders]) as stores:
            combined = Combined(stores)
            assert combined.alarms == ()
            runs = [run.record for run in combined.rows() if run.status is Status.CURRENT]
            assert len(runs) == 5
            assert not any(record.is_without_tables for record in runs)
            found = find(made_up.spec(1).run_id, stores)
            assert found.record.digest == found.record_digest


@pytest.mark.usefixtures("member_files")
def test_different_results_are_an_alarm_all_the_same(tmp_path: Path) -> None:
    one, other = made_up.record(final=0.25), made_up.record(final=0.5)
    packed(tmp_path / "few", stored(tmp_path / "one", one))
    with opened([tmp_path / "few", stored(tmp_path / "other", other)]) as stores:
        (alarm,) = Combined(stores).alarms
    assert alarm.digests == (one.digest, other.digest)


def test_a_folder_of_packed_stores_is_read_as_one(source: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline"
    for place in ("main", "lengths/1", "lengths/2"):
        packed(baseline / place, source)
    (baseline / "report").mkdir()
    places = [baseline / place for place in ("lengths/1", "lengths/2", "main")]
    assert stores_in(baseline) == places
    assert stores_in(baseline / "main") == [baseline / "main"]
    assert stores_in(source.parent / "nowhere") == [source.parent / "nowhere"]
    assert stores_in(source) == [source]
    with opened([source, baseline]) as stores:
        assert [store.folder for store in stores] == [source, *places]
        assert len(list(Combined(stores).rows())) == 6
