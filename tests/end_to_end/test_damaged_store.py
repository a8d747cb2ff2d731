"""Whatever befalls the bytes of a store, every command that reads it says so in one line."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.execution import doctor
from bench.records import Outcome, RunRecord
from bench.reporting import drawing
from bench.results.currency import digests_of
from bench.results.packing import pack
from bench.results.schema import COLUMNS
from bench.results.store import Store
from tests.end_to_end.damage import changed, values
from tests.reporting.made_up import story
from tests.results import made_up_runs
from tests.specs import spec

# What would be a bug of ours anywhere else may come of numbers that nobody computed.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

UNCERTAIN = (
    *("seconds", "cpu_seconds", "peak_memory", "stored_at", "semantics_version"),
    *("provenance", "error"),
)
"""Columns that follow from no others: nobody can tell a wrong one."""
KINDS = ("explodes", "learns", "stuck")
SCORES = {
    f"{when}_{name}": 0.25
    for when in ("initial_validation", "final_validation", "test")
    for name in ("loss", "metric")
}
JSON = ("spec", "event_counts", "scores", "facts", "provenance")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three runs that are current and one that failed; one was run twice."""
    folder = tmp_path_factory.mktemp("sound") / "store"
    with Store.open(folder) as store:
        for seed, kind in enumerate((*KINDS, KINDS[-1])):
            run = spec(seed=min(seed, 2), steps=400)
            made = replace(story(seed, kind=kind, length=20, steps=400), spec=run, scores=SCORES)
            store.put(made, provenance(made))
        store.put(RunRecord(spec=spec(seed=9), outcome=Outcome.FAILED, error="E: why"), {})
    return folder


def provenance(record: RunRecord) -> dict[str, Any]:
    return made_up_runs.provenance(member_digests=digests_of(record.spec.members))


@pytest.fixture
def commands_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path, str], list[int]]:
    """Runs each command on a store; fails unless each does its work or says one line."""
    # Neither how figures are compressed nor what is installed is the store's business.
    monkeypatch.setattr(drawing, "encode", lambda figure, suffix: b"")
    monkeypatch.setattr(doctor, "examine", lambda folder: [])

    def answer(folder: Path, run: str) -> list[int]:
        codes = []
        for arguments in (["show", run], ["report"], ["export"], ["doctor"]):
            code = main([*arguments, str(folder)])
            output, errors = capsys.readouterr()
            if code == 2:
                (line,) = errors.splitlines()
                assert output == ""
                assert line.startswith("bench: ")
            else:
                assert errors == ""
                assert code == (arguments == ["doctor"] and "MISSING" in output)
            codes.append(code)
        return codes

    return answer


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "damaged"))


def first_run(folder: Path) -> str:
    """The id of a run that is current."""
    with Store(folder) as store:
        return next(run.run_id for run in store.rows() if run.status == "current")


def test_a_sound_store_is_no_trouble(damaged: Path, commands_answer: Any) -> None:
    assert commands_answer(damaged, first_run(damaged)) == [0, 0, 0, 0]


def test_a_packed_store_is_no_trouble_unless_it_is_cut_short(
    sound: Path, tmp_path: Path, commands_answer: Any
) -> None:
    run = first_run(sound)
    for with_tables in (True, False):
        with Store(sound) as store:
            file = pack(store, tmp_path / "packed", with_tables=with_tables).file
        assert commands_answer(file.parent, run) == [0, 0, 0, 0]
    file.write_bytes(file.read_bytes()[:-9])
    assert commands_answer(file.parent, run) == [2, 2, 2, 2]


def overwrite(folder: Path, run: str, draw: random.Random, times: int, answer: Any) -> set[int]:
    """The exit codes that came of it."""
    file = folder / "results.sqlite"
    content, codes = file.read_bytes(), set()
    for _ in range(times):
        spoilt = bytearray(content)
        for _ in range(draw.choice((1, 1, 10, 200))):
            start, length = draw.randrange(len(spoilt)), draw.choice((1, 1, 4, 60))
            # Not beyond the end: there it would be a file of another length.
            spoilt[start : start + length] = draw.randbytes(len(spoilt[start : start + length]))
        file.write_bytes(spoilt if draw.random() < 0.9 else spoilt[: draw.randrange(len(spoilt))])
        codes |= set(answer(folder, run))
    return codes


def test_bytes_overwritten_anywhere(damaged: Path, commands_answer: Any) -> None:
    draw = random.Random(20240611)
    assert overwrite(damaged, first_run(damaged), draw, 15, commands_answer) == {0, 1, 2}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_bytes_overwritten(damaged: Path, commands_answer: Any) -> None:
    draw = random.Random(17)
    assert overwrite(damaged, first_run(damaged), draw, 1000, commands_answer) == {0, 1, 2}


def spoil(folder: Path, run: str, column: str, value: Any) -> None:
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection, connection:
        query = f"UPDATE runs SET {column} = ? WHERE run_id = ?"
        connection.execute(query, (value, run))


def replace_values(
    sound: Path, column: str, chosen: Sequence[Any], folder: Path, answer: Any
) -> None:
    """Each of `chosen` in a copy of the store; the doctor finds it where it can be found."""
    run = first_run(sound)
    for value in chosen:
        shutil.copytree(sound, folder)
        spoil(folder, run, column, value)
        *_, doctor_says = answer(folder, run)
        assert doctor_says == 1 or column in UNCERTAIN or is_stored(sound, run, column, value)
        shutil.rmtree(folder)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_value_that_was_never_stored(
    column: str, sound: Path, tmp_path: Path, commands_answer: Any
) -> None:
    chosen = random.Random(column).sample(values(first_run(sound)), 2)
    replace_values(sound, column, chosen, tmp_path / "copy", commands_answer)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_values_that_were_never_stored(
    sound: Path, tmp_path: Path, commands_answer: Any
) -> None:
    for column in COLUMNS:
        chosen = values(first_run(sound))
        replace_values(sound, column, chosen, tmp_path / "copy", commands_answer)


def is_stored(folder: Path, run: str, column: str, value: Any) -> bool:
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection:
        query = f"SELECT {column} FROM runs WHERE run_id = ?"
        (before,) = connection.execute(query, (run,)).fetchone()
    return bool(before == value)


def change_json(
    sound: Path, column: str, draw: random.Random, times: int, folder: Path, answer: Any
) -> None:
    run = first_run(sound)
    with closing(sqlite3.connect(sound / "results.sqlite")) as connection:
        query = f"SELECT {column} FROM runs WHERE run_id = ?"
        (text,) = connection.execute(query, (run,)).fetchone()
    for _ in range(times):
        shutil.copytree(sound, folder)
        spoil(folder, run, column, json.dumps(changed(json.loads(text), draw)))
        answer(folder, run)
        shutil.rmtree(folder)


@pytest.mark.parametrize("column", JSON)
def test_json_with_something_missing_or_something_else(
    column: str, sound: Path, tmp_path: Path, commands_answer: Any
) -> None:
    change_json(sound, column, random.Random(column), 3, tmp_path / "copy", commands_answer)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("column", JSON)
def test_much_json_with_something_missing_or_something_else(
    column: str, sound: Path, tmp_path: Path, commands_answer: Any
) -> None:
    change_json(sound, column, random.Random(column), 150, tmp_path / "copy", commands_answer)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE runs",
        "DROP TABLE superseded",
        "ALTER TABLE runs RENAME COLUMN scores TO points",
        "ALTER TABLE runs DROP COLUMN flow",
        "DELETE FROM runs",
        "UPDATE runs SET run_id = upper(run_id)",
        "UPDATE runs SET cell_id = 'all the same'",
    ],
)
def test_other_tables(damaged: Path, commands_answer: Any, statement: str) -> None:
    run = first_run(damaged)
    with closing(sqlite3.connect(damaged / "results.sqlite")) as connection, connection:
        connection.execute(statement)
    commands_answer(damaged, run)


def test_it_says_which_run_and_what_to_do(damaged: Path, capsys: Any) -> None:
    run = first_run(damaged)
    spoil(damaged, run, "facts", "{")
    for command in ("report", "export"):
        assert main([command, str(damaged)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"bench: run {run} in {damaged} cannot be read (JSONDecodeError")
        assert line.endswith(f"check it with: bench doctor {damaged}")
