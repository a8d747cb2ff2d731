"""A command line -> the plan of what to run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.paths import CONF
from bench.planning import overrides as command_line
from bench.planning.at_hand import whose_data_is_at_hand
from bench.planning.composing import Composed, compose
from bench.planning.expansion import MOST_RUNS, cells, with_seeds
from bench.planning.memory import Memory, check_memory
from bench.planning.requirements import refuse_trials, which_can_work
from bench.planning.resolving import Column, Resolved, check_all
from bench.planning.seeds import Purpose, seeds_for
from bench.planning.selection import LeftOut
from bench.planning.tuning import Tuning, choose, search
from bench.planning.vocabulary import GROUP_SETTINGS, OF_A_RUN, RUN_SETTINGS
from bench.records import BadInput, RunRecord, RunSpec


@dataclass(frozen=True)
class Executor:
    """Where runs are carried out."""

    name: str
    workers: int | None  # None: one for each core, as far as memory goes
    timeout: float | None  # seconds for a run; None: no limit


@dataclass(frozen=True)
class Logger:
    """Where runs are mirrored to."""

    name: str  # none or wandb
    mode: str | None  # offline, online; None: online where there are credentials


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All there is to do, and where to do it."""

    name: str  # of the experiment, or "default"
    cells: list[RunSpec]  # each with the first seed, in the grid's order
    seeds: tuple[int, ...]
    left_out: list[LeftOut]
    results: Path  # the store's folder
    executor: Executor
    logger: Logger
    memory: Memory
    given: Mapping[tuple[str, str], frozenset[str]] = field(repr=False)
    """(kind, member) -> its settings that are typed, or are not its defaults."""
    config: Mapping[str, Any] = field(repr=False)  # what was composed, with every value resolved
    runs: list[RunSpec] = field(repr=False)  # to be done now: every cell with every seed, or trials
    tuning: Tuning | None = field(default=None, repr=False)  # what comes before the cells

    @property
    def runs_per_cell(self) -> int:
        """Trials, evaluation and the sweep of learning rates together."""
        if self.tuning is None:
            return len(self.seeds)
        tried = len(self.tuning.runs) // len(self.cells)
        return tried + len(self.seeds) + self.tuning.swept_per_cell

    def after_tuning(self, records: Mapping[str, RunRecord]) -> Plan:
        """The plan of the evaluation and of the sweep, once the trials have run; `records` by run
        id hold them."""
        assert self.tuning is not None
        seeds = self.tuning.seeds
        chosen = [choose(search, records, seeds) for search in self.tuning.searches]
        runs = [*with_seeds(chosen, self.seeds), *self.tuning.swept(chosen)]
        return replace(self, cells=chosen, runs=runs, tuning=None)

    def workers(self, cores: int) -> int:
        """How many runs at a time: as executor.workers says, or else one for each of `cores`; no
        more than there are, and than fit into memory together."""
        wanted = min(self.executor.workers or cores, len(self.runs))
        most = self.memory.most_runs
        return wanted if most is None else min(wanted, most)

    def describe(self, cores: int | None = None) -> str:
        """The plan in words, for `--dry-run`; `cores`: those there are, unless it is told."""
        from bench.planning.describe import in_words

        return in_words(self, cores or os.cpu_count() or 1)

    @property
    def config_text(self) -> str:
        """The config as YAML. Saved as an experiment's file it makes the same plan."""
        from omegaconf import OmegaConf

        return "# @package _global_\n" + OmegaConf.to_yaml(OmegaConf.create(dict(self.config)))


def plan(overrides: Sequence[str], conf: Path = CONF) -> Plan:
    """What a command line such as `["task=adding", "lr=0.1,0.01"]` asks for. Writes nothing.

    Raises BadInput, in one line, for whatever cannot be done as asked.
    """
    config = compose(command_line.read(overrides), conf)
    settings = check_all(config)
    combinations, left_out = config.selection.combinations()
    at_hand, without_data = whose_data_is_at_hand(cells(combinations, settings))
    found, unsuited = which_can_work(at_hand)
    tuning = _tuning(found, settings, config)
    runs = tuning.runs if tuning else with_seeds(found, settings.seeds)
    num_runs = max(len(runs), len(found) * len(settings.seeds))
    memory = check_memory(found, settings.executor["workers"], num_runs, config.where)
    name = config.choices["experiment"] or "default"
    # os.path: unlike pathlib's it takes the name of an unknown user for a folder's.
    results = Path(os.path.expanduser(settings.results or f"results/{name}"))
    return Plan(
        name=name,
        cells=found,
        seeds=settings.seeds,
        left_out=[*left_out, *without_data, *unsuited],
        results=results,
        executor=Executor(str(config.choices["executor"]), **settings.executor),
        logger=Logger(str(config.choices["logger"]), **settings.logger),
        memory=memory,
        given={
            member: frozenset(name for name, column in columns.items() if column.is_given)
            for member, columns in settings.members.items()
        },
        config=_in_full(config, settings, results),
        runs=runs,
        tuning=tuning,
    )


def _tuning(found: Sequence[RunSpec], settings: Resolved, config: Composed) -> Tuning | None:
    """Raises BadInput for a learning rate that is given, and so many trials that nobody waits."""
    trials = settings.protocol["trials"]
    if trials is None:
        return None
    for kind, name in settings.members:
        column = settings.members[kind, name].get("lr")
        if kind == "optimizer" and column is not None and column.is_given:
            raise BadInput(
                f"{config.where(column.axis)}: protocol={config.choices['protocol']} chooses the "
                "learning rate by trials; leave it out, or give protocol=fixed"
            )
    fixed = {
        name: frozenset(setting for setting, column in columns.items() if column.is_given)
        for (kind, name), columns in settings.members.items()
        if kind == "mitigation"
    }
    searches = [search(cell, trials, fixed) for cell in found]
    tuning = Tuning(
        searches,
        seeds_for(Purpose.TUNING, settings.protocol["tuning_seeds"]),
        settings.protocol["sweep_rates"] or 0,
        seeds_for(Purpose.SWEEP, settings.protocol["sweep_seeds"]),
    )
    if len(tuning.runs) > MOST_RUNS:
        raise BadInput(
            f"the grid: {len(tuning.runs):,} trials, more than {MOST_RUNS:,}; select less"
        )
    refuse_trials([trial for each in searches for trial in each.trials])
    return tuning


def _in_full(config: Composed, settings: Resolved, results: Path) -> dict[str, Any]:
    """The whole config: the knobs as given, every member with the values that it will have."""
    full: dict[str, Any] = {
        "defaults": [{f"override /{group}": config.choices[group]} for group in GROUP_SETTINGS],
        "grid": config.selection.names,
        **settings.knobs,
    }
    count = len(settings.seeds)
    full["seeds"] = count if settings.seeds == tuple(range(count)) else list(settings.seeds)
    full |= {name: _plain(settings.run[name]) for name in RUN_SETTINGS}
    full["results"] = str(results)
    for (kind, name), columns in settings.members.items():
        values = {setting: _plain(column) for setting, column in columns.items()}
        full.setdefault(kind, {})[name] = values
    protocol = {name: _plain(settings.run[name]) for name in OF_A_RUN} | dict(settings.protocol)
    groups = {"protocol": protocol, "executor": settings.executor, "logger": settings.logger}
    for group, chosen in groups.items():
        full[group] = {k: v for k, v in chosen.items() if f"{group}.{k}" in config.choice_keys}
    return full


def _plain(column: Column) -> Any:
    return column.values[0] if len(column.values) == 1 else list(column.values)
