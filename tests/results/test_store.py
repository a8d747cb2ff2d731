"""The store gives back what was put in, says what is current, and refuses what is not its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bench import datasets, discovery, records
from bench.records import BadInput, Outcome, RunRecord
from bench.results.currency import digests_of
from bench.results.schema import APPLICATION_ID, FORMAT
from bench.results.store import Status, Store, check_folder
from tests.results import any_record
from tests.results import made_up_runs as made_up
from tests.specs import spec

MemberFiles = Callable[..., None]


def assert_same(one: RunRecord, other: RunRecord) -> None:
    """Equal to the bit, every NaN being the same NaN."""
    for one_value, other_value in zip(_scalars(one), _scalars(other), strict=True):
        # repr, for NaN equals NaN there, and 1, 1.0 and True differ.
        assert repr(one_value) == repr(other_value)
    for name in ("curves", "flow"):
        before, after = getattr(one, name), getattr(other, name)
        assert list(before) == list(after)
        for column in before:
            np.testing.assert_array_equal(before[column], after[column], strict=True)
            np.testing.assert_array_equal(np.signbit(before[column]), np.signbit(after[column]))


def _scalars(record: RunRecord) -> list[object]:
    def ordered(value: object) -> object:
        if isinstance(value, dict):
            return sorted((name, ordered(entry)) for name, entry in value.items())
        return [ordered(entry) for entry in value] if isinstance(value, tuple) else value

    plain = asdict(replace(record, curves={}, flow={}))
    return [ordered(value) for value in plain.values()]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(record=any_record.records())
def test_any_record_comes_back_with_its_digest(tmp_path: Path, record: RunRecord) -> None:
    provenance = made_up.provenance(record.spec)
    with Store.open(tmp_path) as store:
        store.put(record, provenance)
    with Store(tmp_path) as store:
        stored = store.get(record.spec.run_id)
        assert_same(record, stored.record)
        assert stored.record.digest == record.digest == stored.record_digest
        assert stored.run_id == record.spec.run_id
        assert stored.cell_id == record.spec.cell_id
        assert stored.provenance == provenance


def test_nonfinite_scores_are_neither_null_nor_zero(tmp_path: Path) -> None:
    scores = {"a": float("nan"), "b": float("inf"), "c": float("-inf"), "d": -0.0, "e": 5e-324}
    with Store.open(tmp_path) as store:
        store.put(made_up.record(scores=scores), made_up.provenance())
    with sqlite3.connect(tmp_path / "results.sqlite") as plain:
        query = "SELECT scores->>'a', scores->>'b', scores->>'c', scores->>'e' FROM runs"
        assert plain.execute(query).fetchone() == ("nan", "inf", "-inf", 5e-324)
    plain.close()
    with Store(tmp_path) as store:
        assert repr(store.get(made_up.spec().run_id).record.scores) == repr(scores)


def test_plain_sql_finds_the_columns_that_scripts_use(tmp_path: Path) -> None:
    spec = made_up.spec(3, ("orthogonal", "clip_norm"))
    with Store.open(tmp_path) as store:
        store.put(made_up.record(spec, solved_step=120), made_up.provenance(spec))
    plain = sqlite3.connect(tmp_path / "results.sqlite")
    row = plain.execute(
        "SELECT run_id, cell_id, task, architecture, mitigation, optimizer, seed, dtype, outcome,"
        " solved_step, steps_done, semantics_version FROM runs"
    ).fetchone()
    plain.close()
    assert row == (
        spec.run_id,
        spec.cell_id,
        "adding",
        "rnn_tanh",
        "orthogonal+clip_norm",
        "sgd",
        3,
        "float32",
        "completed",
        120,
        400,
        records.SEMANTICS_VERSION,
    )


def test_what_is_current(
    tmp_path: Path, member_files: MemberFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, clipped = made_up.spec(0, ("none",)), made_up.spec(0, ("clip_norm",))
    broken, absent = made_up.spec(1), made_up.spec(2)
    asked = [plain, clipped, broken, absent]
    with Store.open(tmp_path) as store:
        store.put(made_up.record(plain), made_up.provenance(plain))
        store.put(made_up.diverged(clipped), made_up.provenance(clipped))
        store.put(made_up.failed(broken), {})
        assert store.current(asked) == {plain.run_id, clipped.run_id}

        def statuses() -> dict[str, Status]:
            return {run.run_id: run.status for run in store.rows()}

        assert statuses()[broken.run_id] is Status.FAILED
        member_files(edited=("clip_norm",))
        assert store.current(asked) == {plain.run_id}
        assert statuses()[clipped.run_id] is Status.STALE
        assert statuses()[plain.run_id] is Status.CURRENT
        member_files(gone=("clip_norm",))
        assert store.current(asked) == {plain.run_id}
        assert statuses()[clipped.run_id] is Status.STALE
        member_files()
        monkeypatch.setattr(records, "SEMANTICS_VERSION", records.SEMANTICS_VERSION + 1)
        assert store.current(asked) == set()
        assert statuses()[plain.run_id] is Status.STALE


def test_editing_a_member_file_makes_its_runs_stale_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    for kind, name in (
        ("tasks", "adding"),
        ("architectures", "rnn_tanh"),
        ("mitigations", "none"),
        ("mitigations", "clip_norm"),
        ("optimizers", "sgd"),
    ):
        (package / kind).mkdir(parents=True, exist_ok=True)
        (package / kind / f"{name}.py").write_text("@dataclass\nclass Member:\n    '''One.'''\n")
    monkeypatch.setattr(discovery, "PACKAGE", package)
    discovery._members.cache_clear()
    try:
        specs = [made_up.spec(0, ("none",)), made_up.spec(0, ("clip_norm",))]
        with Store.open(tmp_path / "store") as store:
            for spec in specs:
                digests = {
                    f"{kind}/{member.name}": discovery.member(kind, member.name).digest
                    for kind, member in spec.members
                }
                store.put(made_up.record(spec), made_up.provenance(spec, member_digests=digests))
            assert store.current(specs) == {spec.run_id for spec in specs}
            (package / "mitigations" / "clip_norm.py").write_text(
                "@dataclass\nclass Member:\n    '''Another.'''\n"
            )
            discovery._members.cache_clear()
            assert store.current(specs) == {specs[0].run_id}
            (package / "mitigations" / "none.py").unlink()
            discovery._members.cache_clear()
            assert store.current(specs) == set()
    finally:
        discovery._members.cache_clear()


def test_a_second_put_keeps_the_first_row(tmp_path: Path, member_files: MemberFiles) -> None:
    first, second = made_up.record(final=0.25), made_up.record(final=0.125)
    with Store.open(tmp_path) as store:
        store.put(first, made_up.provenance())
        (kept,) = store.rows()
        store.put(second, made_up.provenance())
        (row,) = store.rows()
        assert row.record_digest == second.digest
        # A row that was read before the rerun still finds the curves it belongs to.
        assert kept.record.digest == first.digest
    plain = sqlite3.connect(tmp_path / "results.sqlite")
    old = plain.execute("SELECT run_id, record_digest, superseded_at FROM superseded").fetchall()
    plain.close()
    assert [row[:2] for row in old] == [(first.spec.run_id, first.digest)]
    assert old[0][2] > kept.stored_at or old[0][2] == row.stored_at


def test_a_failure_keeps_its_traceback_and_a_later_success_replaces_it(
    tmp_path: Path, member_files: MemberFiles
) -> None:
    with Store.open(tmp_path) as store:
        store.put(made_up.failed(error="ZeroDivisionError \udcff"), {})
        (row,) = store.rows()
        assert row.record.error == "ZeroDivisionError \\udcff"
        assert store.current([made_up.spec()]) == set()
        store.put(made_up.record(), made_up.provenance())
        assert store.current([made_up.spec()]) == {made_up.spec().run_id}


@pytest.mark.parametrize("field", ["torch", "git_commit", "member_digests", "kernels"])
def test_a_result_without_provenance_is_refused(tmp_path: Path, field: str) -> None:
    provenance = made_up.provenance()
    del provenance[field]
    with Store.open(tmp_path) as store:
        with pytest.raises(ValueError, match=field):
            store.put(made_up.record(), provenance)
        assert store.digests() == {}


def test_digests_of_other_members_are_refused(tmp_path: Path) -> None:
    other = made_up.provenance(made_up.spec(mitigation=("none",)))
    with Store.open(tmp_path) as store, pytest.raises(ValueError, match="mitigation/clip_norm"):
        store.put(made_up.record(), other)


def test_a_refused_row_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    ragged = {"step": np.arange(3.0), "training_loss": np.arange(2.0)}
    with Store.open(tmp_path) as store:
        store.put(made_up.record(), made_up.provenance())
        before = store.digests()
        with pytest.raises(ValueError, match="differ in shape"):
            store.put(made_up.record(final=1.0, curves=ragged), made_up.provenance())
        with pytest.raises(sqlite3.IntegrityError):
            store.put(made_up.record(final=1.0, seconds=float("nan")), made_up.provenance())
        assert store.digests() == before
        store.put(made_up.record(final=1.0), made_up.provenance())


def test_what_is_refused_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "results.sqlite").write_text("not SQLite at all")
    for name, application, version in (("foreign", 7, 0), ("newer", APPLICATION_ID, FORMAT + 1)):
        (tmp_path / name).mkdir()
        plain = sqlite3.connect(tmp_path / name / "results.sqlite")
        plain.execute("CREATE TABLE runs (x)")
        plain.execute(f"PRAGMA application_id={application}")
        plain.execute(f"PRAGMA user_version={version}")
        plain.close()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for name, complaint in {
        "file": "is a file",
        "file/below": "is a file",
        "other": "holds other data",
        "text": "is not a store of this suite",
        "foreign": "is not a store of this suite",
        "newer": f"has format {FORMAT + 1}",
    }.items():
        for call in (check_folder, Store.open):
            with pytest.raises(BadInput, match=complaint) as caught:
                call(tmp_path / name)
            message = str(caught.value)
            assert message.startswith(f"results={tmp_path / name}: ")
            assert "\n" not in message
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_reading_makes_nothing(tmp_path: Path) -> None:
    for name in ("absent", "empty", "cut_short"):
        folder = tmp_path / name
        if name != "absent":
            folder.mkdir()
        if name == "cut_short":
            (folder / "results.sqlite").touch()
        with pytest.raises(BadInput, match=r"holds no results\.sqlite"):
            Store(folder)
        check_folder(folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "cut_short",
        "empty",
        "results.sqlite",
    ]
    with Store.open(tmp_path / "cut_short") as store:
        assert store.digests() == {}


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with Store(tmp_path) as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.put(made_up.record(), made_up.provenance())


def test_only_results_need_provenance(tmp_path: Path) -> None:
    for outcome in Outcome:
        with Store.open(tmp_path / outcome) as store:
            if outcome.is_result:
                with pytest.raises(ValueError, match="without provenance"):
                    store.put(made_up.record(outcome=outcome), {})
            else:
                store.put(made_up.record(outcome=outcome), {})
                assert len(store.digests()) == 1


def test_a_failure_does_not_replace_a_current_result(
    tmp_path: Path, member_files: MemberFiles
) -> None:
    """Two drivers may be at the same run: the luckier one counts."""
    member_files()
    with Store.open(tmp_path / "store") as store:
        good = made_up.record()
        store.put(good, made_up.provenance())
        store.put(made_up.failed(good.spec), {})
        (row,) = store.rows()
        assert row.record_digest == good.digest
        assert row.record.outcome is Outcome.COMPLETED


def test_a_data_set_that_was_edited_makes_its_runs_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is not at hand cannot be compared: a report of stored runs does without."""
    text = tmp_path / "text" / "foo.txt"
    text.parent.mkdir()
    text.write_text("abcdefgh ijkl. " * 2000)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    wanted = spec(task="char_lm", task_settings={"text": "foo"})
    with Store.open(tmp_path / "store") as store:
        digests = digests_of(wanted.members)
        store.put(made_up.record(wanted), made_up.provenance(wanted) | {"member_digests": digests})
        assert store.current([wanted]) == {wanted.run_id}
        text.write_text("hgfedcba lkji. " * 2000)
        datasets._text.cache_clear()  # a command reads it once
        assert store.current([wanted]) == set()
        assert store.get(wanted.run_id).status == Status.STALE
        text.unlink()
        datasets._text.cache_clear()
        assert store.get(wanted.run_id).status == Status.CURRENT
