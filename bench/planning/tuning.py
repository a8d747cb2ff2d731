"""The protocol `tuned`: the trials that a method gets, and the rule that chooses among them.

Every cell of the grid (task, architecture, mitigation, optimiser) gets the same number of trials. A
mitigation with m combinations of settings to try, the product of its declared `tries`, has each of
them tried at trials / m learning rates, spread evenly in the logarithm over the optimiser's
declared `rates`. All run on the tuning seeds. The chosen trial alone runs on the evaluation seeds,
which no trial has seen and which alone are reported. How wide the range of learning rates is that a
method stands, at the settings chosen for it, is seen in a sweep of its own, with the same rates for
all and seeds of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np

from bench import discovery
from bench.planning.expansion import with_seeds
from bench.planning.selection import joined
from bench.records import BadInput, MemberSpec, Outcome, RunRecord, RunSpec, Setting


@dataclass(frozen=True)
class Search:
    """What is tried for one cell, in the order in which ties are broken: small rates first."""

    cell: RunSpec
    trials: tuple[RunSpec, ...]


@dataclass(frozen=True)
class Tuning:
    """What is tried before the evaluation, and the sweep that comes with it."""

    searches: Sequence[Search]
    seeds: tuple[int, ...]
    sweep_rates: int = 0  # learning rates of the sweep
    sweep_seeds: tuple[int, ...] = ()

    @cached_property
    def runs(self) -> list[RunSpec]:
        """Every trial with every tuning seed."""
        trials = [trial for search in self.searches for trial in search.trials]
        return with_seeds(trials, self.seeds)

    @property
    def swept_per_cell(self) -> int:
        return self.sweep_rates * len(self.sweep_seeds)

    def swept(self, chosen: Sequence[RunSpec]) -> list[RunSpec]:
        """The runs of the sweep: each of `chosen` at every rate, with every seed of the sweep."""
        if not self.swept_per_cell:
            return []
        at_rates = [
            replace(cell, optimizer=_with(cell.optimizer, {"lr": rate}))
            for cell in chosen
            for rate in learning_rates(cell.optimizer.name, self.sweep_rates)
        ]
        return with_seeds(at_rates, self.sweep_seeds)


def search(cell: RunSpec, trials: int, fixed: Mapping[str, frozenset[str]] | None = None) -> Search:
    """`fixed`: mitigation -> those of its settings that are given, and so are not tried.

    Raises BadInput where the settings to try do not divide the number of trials.
    """
    tries = [
        _tries(member, (fixed or {}).get(member.name, frozenset())) for member in cell.mitigation
    ]
    combinations = prod(len(each) for each in tries)
    if trials % combinations:
        name = joined([discovery.member("mitigation", each.name) for each in cell.mitigation])
        raise BadInput(
            f"mitigation={name}: {combinations} combinations of settings to try do not divide "
            f"protocol.trials={trials}; combine fewer, or give a multiple"
        )
    rates = learning_rates(cell.optimizer.name, trials // combinations)
    found = [
        replace(
            cell,
            mitigation=tuple(chosen),
            optimizer=_with(cell.optimizer, {"lr": rate}),
        )
        for rate in rates
        for chosen in product(*tries)
    ]
    return Search(cell, tuple(found))


def learning_rates(optimizer: str, count: int) -> list[float]:
    """`count` of them, evenly in the logarithm from end to end of the optimiser's `rates`; the
    middle one where there is one. Three significant digits, so that every machine has the same."""
    facts = discovery.member("optimizer", optimizer).facts
    if "rates" not in facts:
        raise BadInput(
            f"optimizer={optimizer}: declares no range of learning rates to try "
            "(rates: ClassVar[tuple[float, float]]), so it cannot be tuned"
        )
    low, high = np.log10(facts["rates"])
    places = np.linspace(low, high, count) if count > 1 else np.array([(low + high) / 2])
    return [float(f"{10**place:.3g}") for place in places]


def _tries(member: MemberSpec, fixed: frozenset[str]) -> list[MemberSpec]:
    """The member with each combination of the settings that it declares to try."""
    declared: Mapping[str, Sequence[Setting]] = discovery.member(
        "mitigation", member.name
    ).facts.get("tries", {})
    tries = {name: values for name, values in declared.items() if name not in fixed}
    return [
        _with(member, dict(zip(tries, values, strict=True))) for values in product(*tries.values())
    ]


def _with(member: MemberSpec, settings: Mapping[str, Any]) -> MemberSpec:
    return MemberSpec(member.name, {**member.settings, **settings})


def choose(search: Search, records: Mapping[str, RunRecord], seeds: Sequence[int]) -> RunSpec:
    """The trial with the fewest runs that diverged or froze; then the smallest restricted mean of
    the steps to solve; then the best mean of the final validation metric; then the smallest
    learning rate. `records` by run id hold every trial with every one of `seeds`."""
    scored = [
        (_score([records[replace(trial, seed=seed).run_id] for seed in seeds]), index)
        for index, trial in enumerate(search.trials)
    ]
    return replace(search.trials[min(scored)[1]], seed=search.cell.seed)


def _score(runs: Sequence[RunRecord]) -> tuple[float, float, float]:
    """Smaller is better."""
    lost = sum(run.outcome in (Outcome.DIVERGED, Outcome.FROZEN) for run in runs)
    steps = [run.solved_step or run.spec.steps for run in runs]
    return lost, float(np.mean(steps)), float(np.mean(list(_costs(runs))))


def _costs(runs: Sequence[RunRecord]) -> Iterator[float]:
    """The final validation metric of each, turned so that smaller is better; infinite if it is not
    finite, or the run diverged."""
    for run in runs:
        metric = float(run.scores["final_validation_metric"])
        is_worst = run.outcome is Outcome.DIVERGED or not np.isfinite(metric)
        sign = -1.0 if run.facts["higher_is_better"] else 1.0
        yield np.inf if is_worst else sign * metric
