"""LaTeX sets what is generated, and stops at a number that there is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.reporting.paper.files import write
from bench.stats.power import mcnemar_power
from tests.reporting.paper import made_up_paper as made_up

pytestmark = pytest.mark.skipif(
    not shutil.which("latexmk"), reason="there is no LaTeX on this machine"
)
COMMAND = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-outdir=build"]
TEXT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs,graphicx}
\input{generated/macros}
\begin{document}
\tableofcontents
\section{All \result{runs.evaluation} of \result{methods.names}}
\typeout{counts \result{cell.temporal_order-15.rnn_tanh.orthogonal+clip_norm.solved},
  \result{power.8.0.5.0.1}.}
In text \result{pooled.clip_norm.solved.difference.interval} and in a formula
$p\result{pooled.clip_norm.solved.p_relation}$, $\result{limits.8.smallest_p}$, \result{processor}.
\begin{table}\caption{Of \result{settings.temporal_order-30.length} or \result{steps.all} steps.}
\tiny\input{generated/tables/comparisons}\end{table}
\end{document}
"""


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    (tmp_path / "paper.tex").write_text(TEXT)
    write([made_up.made(made_up.runs())], tmp_path)
    return tmp_path


def latexmk(paper: Path) -> subprocess.CompletedProcess[str]:
    """As `make paper` calls it."""
    return subprocess.run(
        [*COMMAND, "paper.tex"],
        cwd=paper,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1", "FORCE_SOURCE_DATE": "1"},
        capture_output=True,
        text=True,
        errors="replace",
    )


@pytest.mark.slow
def test_the_numbers_reach_the_page_wherever_they_stand(paper: Path) -> None:
    done = latexmk(paper)
    assert done.returncode == 0, done.stdout[-2000:]
    log = " ".join((paper / "build/paper.log").read_text(errors="replace").split())
    solved, power = f"{made_up.SEEDS}/{made_up.SEEDS}", mcnemar_power(0.5, 0.1, made_up.SEEDS)
    assert f"counts {solved}, {power:.2f}." in log
    elsewhere = paper / "elsewhere"
    elsewhere.mkdir()
    for name in ("paper.tex", "generated"):
        (paper / name).rename(elsewhere / name)
    assert latexmk(elsewhere).returncode == 0
    one, other = (folder / "build/paper.pdf" for folder in (paper, elsewhere))
    assert one.read_bytes() == other.read_bytes()


def test_an_unknown_number_stops_latex_and_is_named(paper: Path) -> None:
    text = TEXT.replace(r"\tableofcontents", r"\result{cells_nonsuch.2+x}")
    (paper / "paper.tex").write_text(text)
    done = latexmk(paper)
    assert done.returncode != 0
    assert "There is no result cells_nonsuch.2+x" in done.stdout
