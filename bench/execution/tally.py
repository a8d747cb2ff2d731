"""How far a batch is, and when it will be done. No clock and no screen: numbers in, numbers out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bench.records import Outcome, RunRecord

SHOWN_ALWAYS = (Outcome.DIVERGED, Outcome.FROZEN, Outcome.COMPLETED)


@dataclass
class Tally:
    """Counts of a batch of `total` runs, estimated to take `total_weight` seconds of one core."""

    total: int
    total_weight: float
    workers: int
    done: int = 0
    done_weight: float = 0.0
    solved: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    def add(self, record: RunRecord, weight: float) -> None:
        self.done += 1
        self.done_weight += weight
        self.outcomes[record.outcome] += 1
        self.solved += record.solved_step is not None

    @property
    def share(self) -> float:
        """Of the estimated work, between 0 and 1."""
        return self.done_weight / self.total_weight if self.total_weight else 0.0

    def seconds_left(self, elapsed: float) -> float:
        """At the pace so far; before the first run is done, by the estimates alone."""
        if self.done == 0:
            return max(self.total_weight / self.workers - elapsed, 0.0)
        return elapsed * (self.total_weight - self.done_weight) / max(self.done_weight, 1e-9)

    def counts(self) -> str:
        """ "diverged 4, frozen 0, completed 7; solved 3; failed 0" """
        results = ", ".join(f"{outcome} {self.outcomes[outcome]}" for outcome in SHOWN_ALWAYS)
        failures = [
            f"{outcome} {self.outcomes[outcome]}"
            for outcome in Outcome
            if not outcome.is_result and (self.outcomes[outcome] or outcome is Outcome.FAILED)
        ]
        return "; ".join([results, f"solved {self.solved}", ", ".join(failures)])


def clock(seconds: float) -> str:
    """ "0:07", "12:40", "3:00:00" """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
