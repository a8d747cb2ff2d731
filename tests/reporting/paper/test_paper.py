"""paper/generated and its check, as `make paper` calls them: by scripts/paper.py."""

from __future__ import annotations

import hashlib
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bench.paths import PACKAGE
from bench.records import BadInput
from bench.reporting.paper.checking import problems
from bench.reporting.paper.files import write
from bench.reporting.paper.material import Material
from bench.reporting.paper.sources import named, opened_sources
from tests.reporting.made_up import story
from tests.reporting.paper import made_up_paper as made_up

ROOT = PACKAGE.parent
TEXT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs,graphicx}
\input{generated/macros}
\graphicspath{{generated/figures/}}
\begin{document}
\section{Results}
% results: begin
\result{method.clip_norm.solved} solved, $p\result{pooled.clip_norm.solved.p_relation}$,
$\result{pooled.clip_norm.solved.difference.interval}$: \result{found.solved.more.names}.
\begin{table}\caption{Of \result{runs.evaluation} runs, \result{thresholds.seeds.evaluation} seeds.}
\input{generated/tables/comparisons}\end{table}
\includegraphics[width=0.9\linewidth]{thresholds/outcomes}
% results: end
\end{document}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paper of two sources, written in one place and language."""
    paper = tmp_path_factory.mktemp("paper")
    made_up.store(paper / "baseline" / "main", made_up.runs())
    flow = [story(seed, kind="explodes", length=20) for seed in range(4)]
    made_up.store(paper / "baseline" / "thresholds", flow)
    (paper / "paper.tex").write_text(TEXT)
    return paper


def script(paper: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / "scripts/paper.py", "--paper", paper, *arguments],
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", **variables},
        cwd=paper,
        capture_output=True,
        text=True,
    )


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_built_and_holds_and_elsewhere_it_is_the_same(folder: Path) -> None:
    done = script(folder, LC_ALL="C", TZ="UTC", PYTHONHASHSEED="1")
    assert (done.returncode, done.stderr) == (0, "")
    before = contents(folder / "generated")
    for name in ("figures/outcomes.pdf", "tables/outcomes.tex"):  # they are not included
        assert not (folder / "generated" / name).exists()
    numbers = (folder / "generated/macros.tex").read_text()
    assert "{runs.evaluation}" in numbers
    assert "{runs.tuning}" not in numbers
    expected = {
        "macros.tex",
        "tables/comparisons.tex",
        "figures/thresholds/outcomes.pdf",
    }
    assert expected <= before.keys()
    done = script(
        folder, "--check", LC_ALL="C.UTF-8", TZ="Asia/Tokyo", PYTHONHASHSEED="2", MPLBACKEND="svg"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert contents(folder / "generated") == before


def test_the_script_says_by_its_exit_code_whether_the_paper_holds(
    folder: Path, paper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(ROOT / "scripts" / "paper.py"))["main"]
    stores = [str(folder / "baseline" / name) for name in ("main", "thresholds")]
    assert main(["--paper", str(paper), "--check", *stores]) == 0
    assert capsys.readouterr().out == ""
    (paper / "generated/macros.tex").write_text("")
    assert main(["--paper", str(paper), "--check", *stores]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "macros.tex: stale" in line
    assert main(["--paper", str(paper), *stores]) == 0
    assert capsys.readouterr().out.endswith(" files\n")
    assert main(["--paper", str(paper), "--check", str(tmp_path / "nowhere")]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    (line,) = errors.splitlines()
    assert "results.sqlite" in line


@pytest.fixture(scope="module")
def materials(folder: Path) -> Iterator[list[Material]]:
    with opened_sources(named([], folder / "baseline")) as found:
        yield list(found.materials)


@pytest.fixture
def paper(materials: list[Material], tmp_path: Path) -> Path:
    (tmp_path / "paper.tex").write_text(TEXT.replace(r"\includegraphics", "% "))
    write(materials, tmp_path)
    assert list(problems(materials, tmp_path)) == []
    return tmp_path


FAULTS: Mapping[str, tuple[str, str, str]] = {
    "an unknown number": (r"{runs.evaluation}", r"{runs.evalution}", "did you mean runs.eval"),
    "a typed number": (r"\result{runs.evaluation} runs", "48 runs", "typed by hand: 48"),
    "a table that is not generated": ("tables/comparisons", "tables/mine", "tables/mine: included"),
    "a table of one's own": ("generated/tables/comparisons", "mine", "mine: included"),
    "a figure that is not generated": (
        "% [width=0.9",
        "\\includegraphics{outcomes_2}% [width=0.9",
        "outcomes_2: included",
    ),
    "no markers": ("% results: begin\n", "", "'% results: end' without"),
    "no marker at the end": ("% results: end\n", "", "without '% results: end'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_in_its_line(
    materials: list[Material], paper: Path, name: str
) -> None:
    sound, faulty, words = FAULTS[name]
    text = (paper / "paper.tex").read_text()
    assert sound in text
    (paper / "paper.tex").write_text(text.replace(sound, faulty, 1))
    found = list(problems(materials, paper))
    in_text = [line for line in found if line.startswith(f"{paper}/paper.tex:")]
    assert any(words in line for line in in_text), found
    assert len(in_text) <= (3 if "marker" in name else 1)
    # What the text no longer uses is no longer generated.
    assert all("generated/" in line for line in found if line not in in_text)


@pytest.mark.parametrize("stale", ["macros.tex", "tables/comparisons.tex"])
def test_a_file_that_was_changed_is_stale(
    materials: list[Material], paper: Path, stale: str
) -> None:
    path = paper / "generated" / stale
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    (line,) = problems(materials, paper)
    assert line == f"{path}: stale, the stored runs give another; run: make paper"


def test_a_file_that_is_lost_or_left_over_is_told(materials: list[Material], paper: Path) -> None:
    (paper / "generated/tables/comparisons.tex").unlink()
    (paper / "generated/tables/mine.tex").write_text("12")
    lost, left = problems(materials, paper)
    assert "comparisons.tex: missing" in lost
    assert "mine.tex: not generated" in left


def test_another_run_makes_the_paper_stale(paper: Path) -> None:
    other = [made_up.made(made_up.runs(num_seeds=7)), made_up.made([story(0, kind="stuck")], "x")]
    found = list(problems(other, paper))
    assert any("macros.tex: stale" in line for line in found)
    assert any("thresholds.seeds.evaluation" in line for line in found)  # is no more


def test_without_a_text_there_is_nothing_to_check(
    materials: list[Material], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"paper\.tex: there is no such file"):
        list(problems(materials, tmp_path))
