"""What was run, in numbers and settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.plain_text import neighbours
from bench.records import MemberSpec, Outcome, RunSpec, Setting
from bench.reporting.cells import distinct
from bench.reporting.collection import NotCounted
from bench.reporting.labels import RUN_FIELDS, setting_text
from bench.reporting.summaries import CellSummary


@dataclass(frozen=True)
class Counts:
    runs: int
    cells: int
    outcomes: Counter[Outcome]
    solved: int
    not_counted: Counter[str]

    def in_words(self) -> str:
        """ "60 runs in 12 cells: 11 diverged, 0 frozen, 49 completed; 30 solved their task"."""
        ended = ", ".join(
            f"{self.outcomes[outcome]} {outcome}"
            for outcome in (Outcome.DIVERGED, Outcome.FROZEN, Outcome.COMPLETED)
        )
        return (
            f"{_plural(self.runs, 'run')} in {_plural(self.cells, 'cell')}: {ended}; "
            f"{self.solved} solved the task"
        )

    def not_counted_in_words(self) -> str:
        """ "2 failed, 1 stale", or "" where every run counts."""
        return ", ".join(
            f"{self.not_counted[reason]} {reason}" for reason in sorted(self.not_counted)
        )


def count(summaries: Sequence[CellSummary], not_counted: Sequence[NotCounted]) -> Counts:
    results = [record for summary in summaries for record in summary.cell.results]
    return Counts(
        runs=len(results),
        cells=sum(summary.num_runs > 0 for summary in summaries),
        outcomes=Counter(record.outcome for record in results),
        solved=sum(record.solved_step is not None for record in results),
        not_counted=Counter(run.reason for run in not_counted),
    )


def seeds_in_words(summaries: Sequence[CellSummary]) -> str:
    """ "5 seeds in every cell (0 to 4)", or how many at least and at most."""
    counts = [summary.num_runs for summary in summaries if summary.num_runs]
    seeds = sorted({record.spec.seed for summary in summaries for record in summary.cell.results})
    if not counts:
        return "no seed has a current result"
    if min(counts) == max(counts):
        return f"{_plural(min(counts), 'seed')} in every cell ({_ranges(seeds)})"
    return f"{min(counts)} to {max(counts)} seeds in a cell ({_ranges(seeds)})"


def _ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 3, 17] -> "0 to 3, 17"; `numbers` rise."""
    runs = neighbours(numbers)
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def settings_lines(summaries: Sequence[CellSummary]) -> list[tuple[str, str]]:
    """("task adding", "batch_size=32, length=100 | 200") for every member, and for the runs."""
    specs = [summary.cell.spec for summary in summaries]
    members: dict[str, list[MemberSpec]] = {}
    for spec in specs:
        for kind, member in spec.members:
            members.setdefault(f"{kind} {member.name}", []).append(member)
    lines = [(name, _settings(of_name)) for name, of_name in sorted(members.items())]
    return [*lines, ("every run", _run_settings(specs))]


def _settings(members: Sequence[MemberSpec]) -> str:
    values: dict[str, list[Setting]] = {}
    for member in members:
        for name, value in member.settings.items():
            values.setdefault(name, []).append(value)
    return ", ".join(f"{name}={_values(values[name])}" for name in sorted(values))


def _run_settings(specs: Sequence[RunSpec]) -> str:
    return ", ".join(
        f"{name}={_values([getattr(spec, name) for spec in specs])}" for name in RUN_FIELDS
    )


def _values(values: Sequence[Setting]) -> str:
    return " | ".join(distinct(setting_text(value) for value in values))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
