"""Plans and choices in words: what `--dry-run` and `--help` print."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from bench import discovery
from bench.discovery import KINDS
from bench.paths import CONF
from bench.plain_text import one_line, ranges
from bench.planning.config_files import commented_keys, options
from bench.planning.estimates import Estimate, estimates, gigabytes, unmeasured
from bench.planning.plain_data import shown
from bench.planning.planner import Plan
from bench.planning.vocabulary import CHOICES, GROUP_SETTINGS

EXAMPLES = (
    "task=adding architecture=rnn_tanh,lstm mitigation=none,orthogonal+clip_norm seeds=10",
    "task=adding,copy_memory length=[100,200] lr=0.1,0.01 task.adding.batch_size=64",
    "experiment=smoke 'architecture=glob(rnn_*)' seeds=3,7 --dry-run",
)

MOST_VALUES = 20  # of one setting that are written out
START_UP = 3.0  # seconds until the first worker has loaded torch


def in_words(plan: Plan, cores: int, width: int = 100) -> str:
    """The text of `--dry-run`; `cores` run at a time unless the plan says how many workers."""
    costs = estimates(plan.cells)
    seeds = _count(len(plan.seeds), "seed")
    if plan.tuning:
        trials = _count(len(plan.tuning.searches[0].trials), "trial")
        tuned = f"{trials} x {_count(len(plan.tuning.seeds), 'tuning seed')}"
        swept = ""
        if plan.tuning.swept_per_cell:
            rates = _count(plan.tuning.sweep_rates, "learning rate")
            swept = f" + {rates} x {_count(len(plan.tuning.sweep_seeds), 'seed')}"
        seeds = f"({tuned} + {seeds}{swept})"
    size = f"{_count(len(plan.cells), 'cell')} x {seeds}"
    num_runs = len(plan.cells) * plan.runs_per_cell
    parts = [
        f"Plan {one_line(plan.name)}: {size} = {_count(num_runs, 'run')}",
        _table(_selected(plan), width),
        _table(_costs(plan, costs), width, header=True),
    ]
    if plan.left_out:
        parts.append("Left out\n" + "\n".join(f"  {what}: {why}" for what, why in plan.left_out))
    parts.append("\n".join(_totals(plan, costs, cores)))
    return "\n\n".join(parts)


def text(conf: Path = CONF, width: int = 100) -> str:
    """What `bench run --help` says of the config: groups and options, keys, examples."""
    groups = {
        kind: {name: member.summary for name, member in discovery.members(kind).items()}
        for kind in KINDS
    }
    groups |= {group: options(conf, group) for group in CHOICES}
    rows = [
        (group if index == 0 else "", one_line(name), summary)
        for group, found in groups.items()
        for index, (name, summary) in enumerate(found.items())
    ]
    return "\n\n".join(
        [
            "Groups: GROUP=NAME; several as GROUP=A,B or GROUP=[A,B]; mitigations together as A+B",
            _table(rows, width),
            "Settings: KEY=VALUE; of several, KEY=A,B or KEY=[A,B], each is tried; null: its own",
            _table(_settings(conf), width),
            "Examples\n" + "\n".join(f"  bench run {example}" for example in EXAMPLES),
        ]
    )


def _selected(plan: Plan) -> list[tuple[str, str]]:
    """(kind, the members with those of their settings that were given)."""
    rows = []
    for kind in KINDS:
        names = plan.config["grid"][kind]
        given = {
            name: _settings_in_words({key: values[key] for key in values if key in chosen})
            for name, values in plan.config[kind].items()
            if (chosen := plan.given[kind, name])
        }
        listed = [f"{name} ({given[name]})" if name in given else name for name in names]
        # The parts of a+b are no names of their own.
        apart = [f"{name} ({words})" for name, words in given.items() if name not in names]
        rows.append((kind, ", ".join(listed) + ("; " + ", ".join(apart) if apart else "")))
    run = {key: plan.config[key] for key in ("dtype", "stop_on_solved")} | plan.config["protocol"]
    rows.append(("run", _settings_in_words(run)))
    rows.append(("seeds", ranges(plan.seeds)))
    return rows


def _settings_in_words(settings: Mapping[str, Any]) -> str:
    """ "length 100, 200; batch_size 64" """
    return "; ".join(f"{name} {_values_in_words(value)}" for name, value in settings.items())


def _values_in_words(value: Any) -> str:
    several = value if isinstance(value, list) else [value]
    words = ", ".join(map(shown, several[:MOST_VALUES]))
    return words if len(several) <= MOST_VALUES else f"{words}, ... ({len(several)} in all)"


def _costs(plan: Plan, costs: Sequence[Estimate]) -> list[tuple[str, ...]]:
    groups: dict[tuple[str, str], list[Estimate]] = defaultdict(list)
    for spec, cost in zip(plan.cells, costs, strict=True):
        groups[spec.task.name, spec.architecture.name].append(cost)
    rows: list[tuple[str, ...]] = [("task", "architecture", "cells", "runs", "a run", "memory")]
    for (task, architecture), found in groups.items():
        fast, slow = (extreme(cost.seconds for cost in found) for extreme in (min, max))
        ends = list(dict.fromkeys([duration(fast), duration(slow)]))
        time = ends[-1] if slow < 1.5 * fast else " to ".join(ends)
        memory = gigabytes(max(cost.bytes for cost in found))
        cells, runs = len(found), len(found) * plan.runs_per_cell
        rows.append((task, architecture, str(cells), str(runs), time, memory))
    return rows


def _totals(plan: Plan, costs: Sequence[Estimate], cores: int) -> Iterable[str]:
    workers, memory = plan.workers(cores), plan.memory
    work = sum(cost.seconds for cost in costs) * plan.runs_per_cell
    # No schedule beats the mean load, nor the longest run.
    seconds = START_UP + max(work / workers, max(cost.seconds for cost in costs))
    yield (
        f"Estimate: {duration(seconds)} with {_count(workers, 'worker')}, if every run goes to "
        f"its end; {gigabytes(workers * memory.needed)} of memory"
    )
    unknown = dict.fromkeys(name for spec in plan.cells for name in unmeasured(spec))
    if unknown:
        yield (
            f"Not in the estimate: what {', '.join(unknown)} costs, which nobody has measured "
            "(bench check tells)"
        )
    is_capped = plan.executor.workers is None and workers < min(cores, len(plan.runs))
    if is_capped and memory.available is not None:
        yield (
            f"Memory: {_count(workers, 'worker')} instead of one for each of {cores} cores, since "
            f"a run needs up to {gigabytes(memory.needed)} and {gigabytes(memory.available)} are "
            "available"
        )
    if plan.executor.timeout is not None:
        yield f"Time limit: {duration(plan.executor.timeout)} a run"
    yield f"Results: {plan.results}"
    if plan.logger.name != "none":
        mode = plan.logger.mode or "online where there are credentials, else offline"
        yield f"Mirror: {plan.logger.name}, {mode}"


def _settings(conf: Path) -> list[tuple[str, str]]:
    """(key and default, meaning), from the comments in conf/."""
    rows = [(f"{key}={value}", text) for key, value, text in commented_keys(conf / "config.yaml")]
    for group in GROUP_SETTINGS:
        for option in options(conf, group):
            for key, value, text in commented_keys(conf / group / f"{option}.yaml"):
                rows.append((f"{group}.{key}={value}", f"{text} ({group}={one_line(option)})"))
    rows.append(("KIND.NAME.SETTING", "a member's own, before the shared one; see: bench list"))
    return rows


def duration(seconds: float) -> str:
    """ "under a second", "12 s", "40 min", "3.5 h", "12 days" """
    if seconds < 1:
        return "under a second"
    units = (("days", 86400), ("h", 3600), ("min", 60))
    unit, size = next((each for each in units if seconds >= 2 * each[1]), ("s", 1))
    number = seconds / size
    return f"{number:.1f} {unit}" if number < 10 and size > 60 else f"{number:.0f} {unit}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _table(rows: Sequence[tuple[str, ...]], width: int, *, header: bool = False) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=header, pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(rows[0]):
        is_last = index == len(rows[0]) - 1
        table.add_column(name, no_wrap=not is_last)
    for row in rows[header:]:
        table.add_row(*row)
    text = StringIO()
    Console(file=text, width=width, color_system=None, markup=False, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
