"""What the experiments of the paper amount to, as planned: cells, runs, estimated CPU hours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from bench.planning import plan
from bench.planning.estimates import estimates
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.material import MAIN, Material

EXPERIMENTS = ("paper", "paper_small")


def macros(material: Material) -> Iterator[Macro]:
    """Once, beside the numbers of the main source: no run decides them."""
    if material.name != MAIN:
        return
    for experiment in EXPERIMENTS:
        cells, runs, seconds = _size(experiment)
        name, what = f"planned.{experiment}", f"as experiment={experiment} plans"
        yield Macro(f"{name}.cells", numbers.whole(cells), f"cells, {what}", ())
        yield Macro(f"{name}.runs", numbers.whole(runs), f"runs, {what}", ())
        yield Macro(
            f"{name}.cpu_hours",
            numbers.decimals(seconds / 3600, 0 if seconds > 36000 else 1),
            f"CPU hours by the suite's own estimate, {what}",
            (),
        )


@cache
def _size(experiment: str) -> tuple[int, int, float]:
    """Cells, runs, CPU seconds."""
    planned = plan([f"experiment={experiment}"])
    seconds = sum(cost.seconds for cost in estimates(planned.cells)) * planned.runs_per_cell
    return len(planned.cells), len(planned.cells) * planned.runs_per_cell, seconds
