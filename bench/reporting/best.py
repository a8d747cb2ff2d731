"""In each block: the mitigations that solved most often, and those that cannot be told from them.

A block is what two cells share that differ in their mitigation alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bench.reporting.cells import Cell
from bench.reporting.pairs import by_block, runs_of, seeds_of, solved
from bench.reporting.tables import Emphasis
from bench.stats.best import Placed, Standing, fewest_seeds, standings
from bench.stats.estimates import NotEstimable

Marks: TypeAlias = Mapping[str, Placed | NotEstimable]
"""Cell id -> its standing in its block."""

_EMPHASIS = {
    Standing.BEST: Emphasis.BOLD,
    Standing.NOT_DISTINGUISHABLE: Emphasis.DAGGER,
    Standing.WORSE: Emphasis.NONE,
}


def marks_of(cells: Sequence[Cell]) -> Marks:
    """All cells of a block must be among `cells`: a mark depends on which methods entered."""
    return {
        cell.cell_id: mark
        for block in by_block(cells).values()
        for cell, mark in zip(block, _standings(block), strict=True)
    }


def emphasis(mark: Placed | NotEstimable) -> Emphasis:
    return Emphasis.NONE if isinstance(mark, NotEstimable) else _EMPHASIS[mark.standing]


def word(mark: Placed | NotEstimable) -> str:
    """For a machine: "best", "not distinguishable" or "worse", or why there is no mark."""
    return f"no mark: {mark.reason}" if isinstance(mark, NotEstimable) else mark.standing.value


def p_adjusted(mark: Placed | NotEstimable) -> float | None:
    """Of the test against the best; None for the best, and where there is no mark."""
    if isinstance(mark, NotEstimable) or isinstance(mark.p_adjusted, NotEstimable):
        return None
    return float(mark.p_adjusted)


def explanation(cells: Sequence[Cell], marks: Marks) -> str:
    """What the marks say, for a caption; "" where there are none."""
    placed = [
        sum(isinstance(marks[cell.cell_id], Placed) for cell in block)
        for block in by_block(cells).values()
    ]
    if not any(placed):
        return ""
    most = max(placed)
    return (
        "Bold: solved most seeds of its block, which is what differs in its mitigation alone. "
        "\N{DAGGER}: not distinguishable from that, which is not to say as good. Neither: worse, "
        "by exact McNemar tests on shared seeds, adjusted by Holm over all pairs of mitigations of "
        "the block (family-wise error 5 % in each block). The marks, unlike the numbers, depend on "
        f"which mitigations entered: among {most} none can be called worse with fewer than "
        f"{fewest_seeds(most)} seeds. A block that no run solved has no marks."
    )


def _standings(block: Sequence[Cell]) -> list[Placed | NotEstimable]:
    seeds = seeds_of(block)
    runs = [runs_of(cell, seeds) for cell in block]
    return standings(
        np.array([[run is not None and solved(run) for run in row] for row in runs], dtype=bool),
        np.array([[run is not None for run in row] for row in runs], dtype=bool),
    )
