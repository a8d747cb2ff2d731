"""Tables set by LaTeX: what it says of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.reporting.formats import render
from bench.reporting.tables import Table

needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="there is no LaTeX on this machine"
)


def set_by_latex(tables: Iterable[Table], folder: Path, size: str = "") -> str:
    """The log of a document with these tables, which LaTeX must set to its end."""
    bodies = "\n\n".join(render(table, "tex") for table in tables)
    document = (
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage[T1]{fontenc}"
        f"\\begin{{document}}{size}\n{bodies}\\end{{document}}\n"
    )
    (folder / "tables.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout
