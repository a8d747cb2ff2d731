"""A number of the paper: its name, how it is written, what it is, and the runs it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.records import RunRecord
from bench.reporting.paper.ledger import RunLine


@dataclass(frozen=True)
class Macro:
    r"""`\result{name}` in the text of the paper. `text` is plain: numbers.latex makes it LaTeX."""

    name: str
    text: str
    meaning: str  # one line
    run_ids: tuple[str, ...]  # empty for what no run decides, such as the power of a test


def ids(runs: Iterable[RunRecord | RunLine]) -> tuple[str, ...]:
    return tuple(run.run_id if isinstance(run, RunLine) else run.spec.run_id for run in runs)


def distinct_ids(run_ids: Sequence[str]) -> tuple[str, ...]:
    """Each once, where it first stands."""
    return tuple(dict.fromkeys(run_ids))
