"""`bench doctor DIR`: damage of any kind is found, and told where it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.records import BadInput
from bench.results.checking import check
from bench.results.store import Store
from tests.results import made_up_runs as made_up


@pytest.fixture
def folder(tmp_path: Path, member_files: Callable[..., None]) -> Path:
    """Five runs: two current ones, one superseded in between, a stale one and two failures."""
    with Store.open(tmp_path) as store:
        for seed in (0, 0, 1):
            spec = made_up.spec(seed)
            store.put(made_up.diverged(spec), made_up.provenance(spec))
        plain = made_up.spec(2, ("none",))
        store.put(made_up.record(plain), made_up.provenance(plain))
        store.put(made_up.failed(made_up.spec(3)), {})
        store.put(made_up.failed(made_up.spec(4)), made_up.provenance())
    member_files(edited=("none",))
    return tmp_path


def change(folder: Path, statement: str) -> None:
    plain = sqlite3.connect(folder / "results.sqlite")
    plain.execute(statement)
    plain.commit()
    plain.close()


def test_a_sound_store(folder: Path) -> None:
    found = check(folder)
    assert found.findings == ()
    assert found.counts == {"current": 2, "stale": 1, "failed": 2}
    assert found.superseded == 1


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("scores", '\'{"initial_validation_loss":0.5,"final_validation_loss":0.1}\'', "record_dig"),
        ("outcome", "'completed'", "record_digest"),
        ("solved_step", "3", "record_digest"),
        ("first_event_step", "6", "record_digest"),
        ("flow", "NULL", "record_digest"),
        ("seed", "17", "seed is 17"),
        ("cell_id", "'0'", "cell_id"),
        ("spec", "replace(spec, '\"steps\":400', '\"steps\":401')", "run_id"),
        ("provenance", "'{}'", "members_digest"),
        ("seconds", "'long'", "seconds is long, which is not REAL"),
        ("error", "x'00ff'", "cannot be decoded"),
        ("scores", "'{\"initial_validation_loss\": 0.5}'", "scores is"),
        ("curves", "zeroblob(100)", "cannot be decoded"),
        ("curves", "substr(curves, 1, length(curves) / 2)", "cannot be decoded"),
        ("facts", "'{'", "cannot be decoded"),
        ("outcome", "'splendid'", "cannot be decoded"),
    ],
)
def test_a_changed_value_is_found(folder: Path, column: str, value: str, problem: str) -> None:
    run_id = made_up.spec(1).run_id
    change(folder, f"UPDATE runs SET {column} = {value} WHERE run_id = '{run_id}'")
    found = check(folder)
    assert {finding.run_id for finding in found.findings} == {run_id}
    assert any(problem in finding.problem for finding in found.findings)
    assert found.counts == {"current": 1, "stale": 1, "failed": 2, "damaged": 1}


def test_damaged_pages_are_found(folder: Path) -> None:
    file = folder / "results.sqlite"
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    file.write_bytes(content)
    findings = check(folder).findings
    assert findings
    assert all(finding.problem for finding in findings)


def test_there_must_be_a_store(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no results\.sqlite"):
        check(tmp_path)
