"""A command line -> the plan of what to run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.paths import CONF
from bench.planning import overrides as command_line
from bench.planning.at_hand import whose_data_is_at_hand
from bench.planning.composing import Composed, compose
from bench.planning.expansion import cells, with_seeds
from bench.planning.memory import Memory, check_memory
from bench.planning.resolving import Column, Resolved, check_all
from bench.planning.selection import LeftOut
from bench.planning.vocabulary import GROUP_SETTINGS, RUN_SETTINGS
from bench.records import RunSpec


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
    runs: list[RunSpec] = field(repr=False)  # every cell with every seed

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
    found, without_data = whose_data_is_at_hand(cells(combinations, settings))
    num_runs = len(found) * len(settings.seeds)
    memory = check_memory(found, settings.executor["workers"], num_runs, config.where)
    name = config.choices["experiment"] or "default"
    # os.path: unlike pathlib's it takes the name of an unknown user for a folder's.
    results = Path(os.path.expanduser(settings.results or f"results/{name}"))
    return Plan(
        name=name,
        cells=found,
        seeds=settings.seeds,
        left_out=[*left_out, *without_data],
        results=results,
        executor=Executor(str(config.choices["executor"]), **settings.executor),
        logger=Logger(str(config.choices["logger"]), **settings.logger),
        memory=memory,
        given={
            member: frozenset(name for name, column in columns.items() if column.is_given)
            for member, columns in settings.members.items()
        },
        config=_in_full(config, settings, results),
        runs=with_seeds(found, settings.seeds),
    )


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
    protocol = {name: _plain(settings.run[name]) for name in GROUP_SETTINGS["protocol"]}
    groups = {"protocol": protocol, "executor": settings.executor, "logger": settings.logger}
    for group, chosen in groups.items():
        full[group] = {k: v for k, v in chosen.items() if f"{group}.{k}" in config.choice_keys}
    return full


def _plain(column: Column) -> Any:
    return column.values[0] if len(column.values) == 1 else list(column.values)
