"""The runs of the protocol `tuned` beside the evaluation: shown apart, counted nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.planning.seeds import Purpose, purpose_of
from bench.records import Outcome, RunRecord, RunSpec, Setting
from bench.reporting import wording
from bench.reporting.collection import StoredRun
from bench.reporting.label_columns import label_columns
from bench.reporting.labels import setting_text
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Column, Table, build, whole_number

Chosen: TypeAlias = tuple[str, str, str]
"""(kind, member, setting)"""


@dataclass(frozen=True)
class Trial:
    """One run on a tuning seed."""

    spec: RunSpec
    is_lost: bool  # diverged or frozen


@dataclass(frozen=True)
class Search:
    """The trials of one cell, and what they chose."""

    summary: CellSummary
    trials: Sequence[Trial]
    chosen: Sequence[tuple[str, Setting]]  # setting -> its value in the cell

    @property
    def num_trials(self) -> int:
        """Different settings; each ran on several seeds."""
        return len({repr(_settings(trial.spec)) for trial in self.trials})

    @property
    def num_lost(self) -> int:
        return sum(trial.is_lost for trial in self.trials)

    @property
    def in_words(self) -> str:
        return ", ".join(f"{name}={setting_text(value)}" for name, value in self.chosen)


class Trials:
    """All of a report's runs on seeds of tuning, and of the sweep of learning rates."""

    def __init__(self) -> None:
        self._of: dict[str, list[Trial]] = defaultdict(list)
        self.swept: list[RunRecord] = []

    def watch(self, runs: Iterable[StoredRun]) -> Iterator[StoredRun]:
        """Keeps these, and hands the runs on evaluation seeds on."""
        for run in runs:
            spec = run.record.spec
            purpose = purpose_of(spec.seed)
            if purpose is Purpose.EVALUATION:
                yield run
            elif run.status != "current":
                continue
            elif purpose is Purpose.SWEEP:
                self.swept.append(run.record)
            else:
                lost = run.record.outcome in (Outcome.DIVERGED, Outcome.FROZEN)
                self._of[_key(spec)].append(Trial(spec, lost))

    @property
    def chosen(self) -> frozenset[Chosen]:
        """The settings that trials chose: a label need not tell them."""
        return frozenset(one for trials in self._of.values() for one in _varying(trials))

    def searches(self, summaries: Sequence[CellSummary]) -> list[Search]:
        """One for each cell that trials came before."""
        found = []
        for summary in summaries:
            trials = self._of.get(_key(summary.cell.spec), [])
            if trials:
                values = dict(_settings(summary.cell.spec))
                chosen = [
                    (
                        name if kind == "optimizer" else f"{member} {name}",
                        values[kind, member, name],
                    )
                    for kind, member, name in _varying(trials)
                ]
                found.append(Search(summary, trials, chosen))
        return found


def trials_table(searches: Sequence[Search]) -> Table:
    caption = (
        "How settings were chosen: each method's own trials on tuning seeds, of which no number "
        "enters another table. Fewest runs lost (diverged or frozen), then the smallest restricted "
        "mean of the steps to solve, then the best final validation metric, then the smallest "
        "learning rate."
    )
    columns: list[Column[Search]] = [
        *label_columns([row.summary.cell for row in searches], lambda row: row.summary.cell),
        whole_number("Trials", "trials", lambda row: row.num_trials),
        whole_number("Runs", "runs", lambda row: len(row.trials)),
        whole_number("Lost", "lost", lambda row: row.num_lost),
        Column(
            "Chosen",
            lambda row: row.in_words or wording.NOTHING,
            {"chosen": lambda row: row.in_words or wording.NONE},
            is_text=True,
        ),
    ]
    return build("trials", "Trials", caption, columns, searches)


def _key(spec: RunSpec) -> str:
    """What a cell and its trials share."""
    run = (spec.dtype, spec.evaluations, spec.solved_checks, spec.window, spec.stop_on_solved)
    problem = [
        (member.name, sorted(member.settings.items())) for member in (spec.task, spec.architecture)
    ]
    return repr((problem, spec.mitigation_name, spec.optimizer.name, run))


def _settings(spec: RunSpec) -> list[tuple[Chosen, Setting]]:
    members = [("mitigation", member) for member in spec.mitigation]
    return [
        ((kind, member.name, name), value)
        for kind, member in (*members, ("optimizer", spec.optimizer))
        for name, value in sorted(member.settings.items())
    ]


def _varying(trials: Sequence[Trial]) -> list[Chosen]:
    """The learning rate first."""
    values: dict[Chosen, set[Setting]] = defaultdict(set)
    for trial in trials:
        for key, value in _settings(trial.spec):
            values[key].add(value)
    return sorted((key for key, tried in values.items() if len(tried) > 1), reverse=True)
