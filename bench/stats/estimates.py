"""The value that stands where the data cannot support a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class NotEstimable:
    """No number, and why: "1 run: quartiles need 4"."""

    reason: str

    def __str__(self) -> str:
        return f"not estimable ({self.reason})"


Estimate: TypeAlias = float | NotEstimable
"""A number, infinite where that is the answer ("never", "worse than any number"), but never NaN."""

MIN_RUNS_FOR_QUARTILES = 4
"""With fewer runs the outer quartiles would be read off between the two extreme runs."""


def too_few_for_quartiles(num_runs: int) -> NotEstimable | None:
    if num_runs >= MIN_RUNS_FOR_QUARTILES:
        return None
    runs = "1 run" if num_runs == 1 else f"{num_runs} runs"
    return NotEstimable(f"{runs}: quartiles need {MIN_RUNS_FOR_QUARTILES}")
