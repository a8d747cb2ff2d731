"""How the runs of a cell ended, in few words: the same on the screen and in the outcome matrix."""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import Outcome
from bench.reporting import wording
from bench.reporting.summaries import CellSummary

STOPPED_MARK = "*"
"""Behind a count of diverged runs where solved runs were stopped."""


def endings(summary: CellSummary) -> list[str]:
    """["4/5 diverged", "1/5 frozen", "0/5 solved"], frozen runs only where there are some.

    Where nothing counts, what there is instead: ["2 failed"].
    """
    if summary.num_runs == 0:
        return not_counted(summary)
    before_solving = " before solving" if summary.cell.spec.stop_on_solved else ""
    frozen = wording.count(summary.outcomes[Outcome.FROZEN])
    return [
        f"{summary.num_diverged}/{summary.num_runs} diverged{before_solving}",
        *([] if frozen.startswith("0/") else [f"{frozen} frozen"]),
        f"{wording.count(summary.solved)} solved",
    ]


def short_endings(summary: CellSummary) -> str:
    """The same on lines of a dozen characters: "4/5 div.", or "4/5 div.*" before solving."""
    return "\n".join(
        line.replace(" before solving", STOPPED_MARK).replace("diverged", "div.")
        for line in endings(summary)
    )


def not_counted(summary: CellSummary) -> list[str]:
    """["2 failed", "1 stale"]"""
    return [f"{num} {reason}" for reason, num in summary.cell.why_not_counted.items()]


def some_were_stopped(summaries: Sequence[CellSummary]) -> bool:
    """Whether a short ending carries the mark."""
    return any(one.num_runs and one.cell.spec.stop_on_solved for one in summaries)
