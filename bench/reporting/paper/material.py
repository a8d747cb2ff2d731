"""What the paper is made from: one analysis for each of its sources, under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.planning.seeds import Purpose
from bench.reporting.analysis import Analysis, analyse
from bench.reporting.collection import StoredRun
from bench.reporting.paper.ledger import Ledger, RunLine

MAIN = "main"
"""The source whose numbers stand under their bare names."""


@dataclass(frozen=True)
class Material:
    """The runs of one source, which no other source's are counted with."""

    name: str
    found: Analysis
    runs: Sequence[RunLine]  # all that are stored

    @property
    def prefix(self) -> str:
        """Before the names of its numbers: "" or "thresholds."."""
        return "" if self.name == MAIN else f"{self.name}."

    @property
    def folder(self) -> str:
        """Before the names of its files: "" or "thresholds/"."""
        return "" if self.name == MAIN else f"{self.name}/"

    @property
    def counted(self) -> list[RunLine]:
        """The runs with a current result, of every purpose."""
        return [run for run in self.runs if run.is_current]

    def of(self, purpose: Purpose) -> list[RunLine]:
        return [run for run in self.counted if run.purpose is purpose]


def material(name: str, runs: Iterable[StoredRun]) -> Material:
    """Each run must be there once. Curves are read later: what `runs` come from must stay open."""
    ledger = Ledger()
    found = analyse(ledger.watch(runs))
    return Material(name, found, ledger.lines)
