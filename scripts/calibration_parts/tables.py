"""A part's report: a table in Markdown, and what in it is worse than nominal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import binom

SIZES = (5, 10, 16, 20, 30)
ALLOWANCE = 1e-5  # the chance that a nominal cell of a simulation is marked


@dataclass(frozen=True)
class Report:
    text: str
    broken: tuple[str, ...] = ()


def sizes(quick: bool) -> tuple[int, ...]:
    return (5, 10) if quick else SIZES


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def is_too_many(count: int, total: int, nominal: float) -> bool:
    """Whether so many of `total` would have a chance below the allowance at the `nominal` rate."""
    return bool(binom.sf(count - 1, total, nominal) < ALLOWANCE)
