"""`bench explain`, through the command line, on a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cli import main
from tests.reporting.paper import made_up_paper as made_up

RUNS = made_up.runs(lengths=[15])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("explain")
    made_up.store(here / "paper" / "baseline" / "main", RUNS)
    return here


def test_it_lists_the_runs_behind_a_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["explain", "cell.temporal_order.rnn_tanh.clip_norm.solved"]) == 0
    value, meaning, count, headings, *lines = capsys.readouterr().out.splitlines()
    runs = [r for r in RUNS if r.spec.seed < 8 and r.spec.mitigation_name == "clip_norm"]
    solved = sum(run.solved_step is not None for run in runs)
    assert value == f"cell.temporal_order.rnn_tanh.clip_norm.solved: {solved}/8"
    assert meaning == "runs that solved the task: temporal_order, rnn_tanh, clip_norm"
    assert count == "8 runs:"
    assert headings.split() == [
        "run",
        "task",
        "architecture",
        "mitigation",
        "lr",
        "seed",
        "outcome",
    ]
    for run, line in zip(runs, lines, strict=True):
        ended = f"{run.outcome}" + (f", solved at {run.solved_step}" if run.solved_step else "")
        expected = [run.spec.run_id, *run.spec.names[:3], "0.01", str(run.spec.seed)]
        assert line.split()[:6] == expected
        assert " ".join(line.split()[6:]) == ended


def test_a_pattern_lists_all_that_match(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "pooled.clip_norm.*", str(folder / "paper/baseline/main")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 20
    assert all(line.startswith("pooled.clip_norm.") for line in lines)


def test_what_no_run_decides_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "power.here", str(folder / "paper/baseline/main")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "computed, from no run"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pooled.clip_nrm.solved.difference", "did you mean pooled.clip_norm.solved.difference"),
        ("zzzz", "bench explain '*'"),
        ("zzzz.*", "no such number"),
    ],
)
def test_an_unknown_name_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert main(["explain", name, str(folder / "paper/baseline/main")]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    (line,) = errors.splitlines()
    assert words in line


def test_without_a_store_it_says_where_one_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "cells"]) == 2
    assert "paper/baseline/main" in capsys.readouterr().err
