"""What is packed to be kept with the code is current, and a store that is not is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import records
from bench.paths import PACKAGE
from bench.results.opening import holds_store, stores_in
from bench.results.packing import pack
from bench.results.schema import PACKED
from bench.results.staleness import not_current
from bench.results.store import Store
from tests.results import made_up_runs as made_up
from tests.results.mirrored import put

ROOT = PACKAGE.parent
BASELINE = ROOT / "paper" / "baseline"


def complaints(baseline: Path) -> list[str]:
    """One line a store that is not current."""
    found = []
    for folder in filter(holds_store, stores_in(baseline)):
        with Store(folder) as store:
            if problem := not_current(store):
                found.append(
                    f"{folder}: {problem}; repeat the bench run that made the store it was packed "
                    f"from, which runs these alone, or, without that store, first: xz -dc "
                    f"{folder / PACKED} > STORE/results.sqlite; then: "
                    f"python scripts/baseline.py STORE {folder}"
                )
    return found


def test_the_baseline_is_current() -> None:
    """An edited member makes its stored runs stale: that is meant, and the lines say what to do."""
    found = complaints(BASELINE)
    assert not found, "\n".join(found)


@pytest.fixture
def source(tmp_path: Path, member_files: Callable[..., None]) -> Path:
    for seed in range(3):
        put(tmp_path / "store", made_up.record(made_up.spec(seed)))
    put(tmp_path / "store", made_up.record(made_up.spec(0, ("none",))))
    return tmp_path / "store"


def test_a_baseline_that_is_not_current_is_told_with_the_reason(
    source: Path, tmp_path: Path, member_files: Callable[..., None], monkeypatch: Any
) -> None:
    baseline = tmp_path / "baseline"
    with Store(source) as store:
        pack(store, baseline / "main", with_tables=False)
    assert complaints(baseline) == []
    member_files(edited=("clip_norm",))
    (line,) = complaints(baseline)
    why = "3 of 4 runs are stale: mitigation clip_norm has changed; "
    assert line.startswith(f"{baseline / 'main'}: {why}")
    assert line.endswith(f"python scripts/baseline.py STORE {baseline / 'main'}")
    member_files(edited=("adding",), gone=("rnn_tanh",))
    (line,) = complaints(baseline)
    assert "4 of 4 runs are stale: architecture rnn_tanh, task adding have changed" in line
    member_files()
    monkeypatch.setattr(records, "SEMANTICS_VERSION", records.SEMANTICS_VERSION + 1)
    (line,) = complaints(baseline)
    assert "4 of 4 runs are stale: the engine has changed" in line


@pytest.fixture
def baseline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Runs scripts/baseline.py; its exit code, and what it says."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    monkeypatch.delitem(sys.modules, "baseline", raising=False)
    import baseline  # type: ignore[import-not-found, unused-ignore]

    def call(*arguments: object) -> tuple[int, str]:
        code = baseline.main([str(argument) for argument in arguments])
        output, errors = capsys.readouterr()
        assert bool(output) == (code == 0)
        assert bool(errors) == (code == 2)
        return code, output + errors

    return call


def test_it_packs_and_says_what_it_left_out(source: Path, tmp_path: Path, baseline: Any) -> None:
    file = tmp_path / "to" / PACKED
    code, text = baseline(source, file.parent)
    size = file.stat().st_size
    assert code == 0
    assert text == (
        f"{file}: 4 runs in {size} bytes ({size / 4:.0f} a run), 4 of them without their curves\n"
    )
    code, text = baseline(source, file.parent, "--with-curves")
    assert code == 0
    assert text.endswith("a run), with their curves\n")
    with Store(file.parent) as store:
        assert not any(run.record.is_without_tables for run in store.rows())


def test_what_is_not_current_is_refused(
    source: Path, tmp_path: Path, baseline: Any, member_files: Callable[..., None]
) -> None:
    put(source, made_up.failed(made_up.spec(9)))
    member_files(edited=("none",))
    why = "1 of 5 runs are stale: mitigation none has changed; 1 of 5 failed"
    code, line = baseline(source, tmp_path / "to")
    assert code == 2
    assert line.startswith(f"baseline: {source}: {why}; run them again: the command that made them")
    assert len(line.splitlines()) == 1
    assert not (tmp_path / "to").exists()
    code, text = baseline(source, tmp_path / "to", "--only-current")
    assert code == 0
    assert text.splitlines()[1] == f"left behind: {why}"
    with Store(tmp_path / "to") as store:
        assert not_current(store) is None
        assert len(store.digests()) == 3


def test_the_command_is_that_of_the_experiment(
    source: Path, tmp_path: Path, baseline: Any, member_files: Callable[..., None]
) -> None:
    member_files(gone=("none",))
    folder = source.rename(tmp_path / "demo")
    _, line = baseline(folder, tmp_path / "to")
    assert f"run them again: bench run experiment=demo results={folder}; or" in line


def test_a_damaged_store_is_not_packed(source: Path, tmp_path: Path, baseline: Any) -> None:
    content = (source / "results.sqlite").read_bytes()
    (source / "results.sqlite").write_bytes(content.replace(b'"final_val', b'"FINAL_val'))
    code, line = baseline(source, tmp_path / "to")
    assert code == 2
    assert line.endswith(f"check it with: bench doctor {source}\n")
    assert not (tmp_path / "to").exists()
    assert baseline(tmp_path / "nowhere", tmp_path / "to")[0] == 2
