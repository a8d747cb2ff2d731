"""Several stores read as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.records import BadInput, RunRecord
from bench.results.combining import Combined, find, opened
from bench.results.store import Status, Store
from tests.results import made_up_runs as made_up

MemberFiles = Callable[..., None]


def store_of(folder: Path, *records: RunRecord, **changes: Any) -> Store:
    with Store.open(folder) as store:
        for record in records:
            store.put(record, made_up.provenance(record.spec, **changes))
    return Store(folder)


@pytest.mark.usefixtures("member_files")
def test_every_run_is_there_once(tmp_path: Path) -> None:
    records = [made_up.diverged(made_up.spec(seed)) for seed in range(6)]
    with (
        store_of(tmp_path / "a", *records[:4]) as one,
        store_of(tmp_path / "b", *records[2:]) as two,
        store_of(tmp_path / "c") as three,
    ):
        for stores in ([one, two, three], [two, three, one], [one, two, one]):
            combined = Combined(stores)
            ids = [run.run_id for run in combined.rows()]
            assert sorted(ids) == sorted(record.spec.run_id for record in records)
            assert combined.alarms == ()
        assert [run.run_id for run in Combined([one]).rows()] == [run.run_id for run in one.rows()]


@pytest.mark.usefixtures("member_files")
def test_different_results_of_the_same_run_are_an_alarm(tmp_path: Path) -> None:
    first, second = made_up.record(final=0.25), made_up.record(final=0.5)
    with store_of(tmp_path / "a", first) as one, store_of(tmp_path / "b", second) as two:
        combined = Combined([one, two])
        (alarm,) = combined.alarms
        assert alarm.run_id == first.spec.run_id
        assert alarm.digests == (first.digest, second.digest)
        assert alarm.folders == (tmp_path / "a", tmp_path / "b")
        assert first.digest[:12] in str(alarm)
        assert [run.record_digest for run in combined.rows()] == [first.digest]


def test_a_current_result_is_taken_before_a_stale_one_and_that_before_a_failure(
    tmp_path: Path, member_files: MemberFiles
) -> None:
    spec = made_up.spec()
    edited = {
        key: made_up.digest_of(*key.split("/"), "second" if "clip" in key else "first")
        for key in made_up.provenance()["member_digests"]
    }
    old, new = made_up.record(final=0.25), made_up.record(final=0.5)
    with (
        store_of(tmp_path / "failed", made_up.failed(spec)) as failed,
        store_of(tmp_path / "old", old) as before,
        store_of(tmp_path / "new", new, member_digests=edited) as after,
    ):
        for edition, taken in (((), old), (("clip_norm",), new)):
            member_files(edited=edition)
            combined = Combined([failed, before, after])
            (run,) = combined.rows()
            assert run.record_digest == taken.digest
            assert run.status is Status.CURRENT
            # Other code may give another result: nothing to be alarmed about.
            assert combined.alarms == ()
        (run,) = Combined([failed, before]).rows()
        assert run.record_digest == old.digest
        assert run.status is Status.STALE


@pytest.mark.usefixtures("member_files")
def test_opened_stores_do_not_change_under_a_reader(tmp_path: Path) -> None:
    first, second = (made_up.record(made_up.spec(seed)) for seed in range(2))
    store_of(tmp_path, first).close()
    with opened([tmp_path]) as (store,):
        assert [run.run_id for run in store.rows()] == [first.spec.run_id]
        store_of(tmp_path, second).close()
        assert [run.run_id for run in store.rows()] == [first.spec.run_id]
    with opened([tmp_path]) as (store,):
        assert len(list(store.rows())) == 2


def test_an_error_over_a_sound_store_is_an_error(tmp_path: Path) -> None:
    store_of(tmp_path, made_up.record()).close()
    with pytest.raises(KeyError), opened([tmp_path]):
        raise KeyError("a bug")


def test_an_error_over_a_damaged_store_is_put_down_to_it(tmp_path: Path) -> None:
    store_of(tmp_path, made_up.record()).close()
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection, connection:
        connection.execute("UPDATE runs SET facts = '{}'")
    complaint = rf"^run {made_up.spec().run_id} in .*record_digest"
    with pytest.raises(BadInput, match=complaint) as caught, opened([tmp_path]):
        raise KeyError("metric")
    assert str(caught.value).endswith(f"check it with: bench doctor {tmp_path}")


@pytest.mark.usefixtures("member_files")
def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    records = [made_up.record(made_up.spec(seed)) for seed in range(40)]
    with (
        store_of(tmp_path / "a", *records[:30]) as one,
        store_of(tmp_path / "b", *records[20:]) as other,
    ):
        for seed in (7, 25, 39):
            wanted = records[seed].spec.run_id
            assert find(wanted[:9].upper(), [one, other]).run_id == wanted
        with pytest.raises(BadInput, match=r"^run : 40 runs begin so \(\w+, \w+, \w+, \.\.\.\)"):
            find("", [one, other])
        with pytest.raises(BadInput, match=rf"there is none in .*a, .*b .*did you mean {wanted}"):
            find("%" + wanted[1:], [one, other])
        with pytest.raises(BadInput, match="there is none"):
            find(wanted, [one])
