"""A composed config -> the values to try of every setting, each checked against its schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from bench.discovery import Member
from bench.planning.composing import Composed
from bench.planning.keys import keep_known
from bench.planning.plain_data import checked, shown
from bench.planning.references import resolve
from bench.planning.seeds import FIRST_SEED, Purpose
from bench.planning.vocabulary import GROUP_SETTINGS, KNOBS, MAY_BE_NULL, OF_A_RUN, RUN_SETTINGS
from bench.records import BadInput, Setting
from bench.settings import PositiveInt, Range

MOST_SEEDS = FIRST_SEED[Purpose.TUNING]


@dataclass(frozen=True)
class Column:
    """The values to try of one setting. Settings of one `axis` change together."""

    axis: str  # the setting's own key, or the knob's
    values: tuple[Setting, ...]
    is_given: bool = False  # typed, or something else than the member's file says


@dataclass(frozen=True)
class Resolved:
    """Every value of a config, checked and cast."""

    members: Mapping[tuple[str, str], Mapping[str, Column]]  # (kind, name) -> setting ->
    run: Mapping[str, Column]  # RUN_SETTINGS, and those of the protocol
    seeds: tuple[int, ...]
    knobs: Mapping[str, Any]  # as given; null leaves each member its own
    protocol: Mapping[str, Any]  # how runs are chosen: trials, tuning_seeds; None where it is not
    executor: Mapping[str, Any]
    logger: Mapping[str, Any]
    results: str | None


def check_all(config: Composed) -> Resolved:
    """Raises BadInput for an unknown key, a wrong type, a value out of range."""
    values = resolve(keep_known(config), config.where)
    values |= {knob: _knob(knob, values, config) for knob in KNOBS}
    members = {
        (kind, member.name): _member(kind, member, values, config)
        for kind, selected in config.selection.members.items()
        for member in selected
    }
    run = _run(values, config)
    _check_solvable(members, run, config)
    return Resolved(
        members,
        run,
        seeds=_seeds(values.get("seeds"), config.where("seeds")),
        knobs={knob: values[knob] for knob in KNOBS},
        protocol=_single("protocol", values, config, leave_out=OF_A_RUN),
        executor=_single("executor", values, config),
        logger=_single("logger", values, config),
        results=_results(values.get("results"), config.where("results")),
    )


def _knob(knob: str, values: Mapping[str, Any], config: Composed) -> Any:
    """The value of a knob; null where it stands in an experiment for members that were replaced.

    Raises BadInput for a knob that no selected member has, or that an experiment's own keys undo.
    """
    value, where = values.get(knob), config.where(knob)
    if value is None:
        return None
    own_keys = [
        f"{kind}.{member.name}.{knob}"
        for kind, members in config.selection.members.items()
        for member in members
        if knob in member.schema
    ]
    if not own_keys:
        if knob not in config.from_command_line and config.selection_replaced:
            return None
        names = [name for kind in config.selection.members.values() for name in kind]
        raise BadInput(
            f"{where}={shown(value)}: none of the selected members has it "
            f"({', '.join(member.name for member in names)}); leave it out"
        )
    if knob in config.from_command_line and config.from_experiment.issuperset(own_keys):
        raise BadInput(
            f"{where}={shown(value)}: experiment {config.choices['experiment']} sets it for each "
            f"member by itself; give {' '.join(f'{key}={shown(value)}' for key in own_keys)}"
        )
    return value


def _member(
    kind: str, member: Member, values: Mapping[str, Any], config: Composed
) -> dict[str, Column]:
    columns = {}
    for setting, annotation in member.schema.items():
        key = f"{kind}.{member.name}.{setting}"
        if key not in values:
            raise BadInput(f"{config.where(key)}: has no default; each setting needs one")
        is_its_own = key in config.from_command_line or key in config.from_experiment
        if values.get(setting) is None or setting not in KNOBS or is_its_own:
            column = _column(key, values[key], annotation, config)
        else:
            of_whom = f" ({kind} {member.name})"
            column = _column(setting, values[setting], annotation, config, of_whom)
        is_default = values[column.axis] == config.defaults.get(key)
        is_given = column.axis in config.from_command_line or not is_default
        columns[setting] = replace(column, is_given=is_given)
    return columns


def _column(axis: str, value: Any, annotation: Any, config: Composed, of_whom: str = "") -> Column:
    where = config.where(axis)
    if value == []:
        raise BadInput(f"{where}=[]: holds no value")
    distinct: dict[Any, Setting] = {}
    for entry in value if isinstance(value, list) else [value]:
        try:
            cast = checked(entry, annotation, where)
        except BadInput as error:
            raise BadInput(f"{error}{of_whom}") from error
        # Equal as given, not as cast: the columns of one knob must stay equally long.
        distinct.setdefault((isinstance(entry, bool), entry), cast)
    return Column(axis, tuple(distinct.values()))


def _run(values: Mapping[str, Any], config: Composed) -> dict[str, Column]:
    """The settings of a RunSpec beside its members."""
    if values.get("device") != "cpu":
        raise BadInput(f"{config.where('device')}={shown(values.get('device'))}: only cpu for now")
    settings = {name: (name, annotation) for name, annotation in RUN_SETTINGS.items()}
    for name in OF_A_RUN:
        settings[name] = (f"protocol.{name}", GROUP_SETTINGS["protocol"][name])
    return {
        name: _column(key, values.get(key), annotation, config)
        for name, (key, annotation) in settings.items()
    }


def _check_solvable(
    members: Mapping[tuple[str, str], Mapping[str, Column]],
    run: Mapping[str, Column],
    config: Composed,
) -> None:
    """Raises BadInput where a run has fewer evaluations than must meet the criterion.

    There is at most one evaluation an update. To ask for fewer checks where there are fewer would
    call a short run solved on weaker evidence than a long one.
    """
    key = "protocol.solved_checks"
    checks = max(map(int, run["solved_checks"].values))
    evaluations = min(map(int, run["evaluations"].values))
    if checks > evaluations:
        raise BadInput(
            f"{config.where(key)}={checks}: more than there are evaluations "
            f"({evaluations}), so that no run could be solved; raise protocol.evaluations"
        )
    for (kind, name), columns in members.items():
        if kind != "task":
            continue
        steps = min(map(int, columns["steps"].values))
        if checks > steps:
            raise BadInput(
                f"{config.where(columns['steps'].axis)}={steps}: fewer updates (task {name}) than "
                f"evaluations that must meet its criterion, so that no run could be solved; raise "
                f"it to {checks}, or give {key}={steps}"
            )


def _seeds(value: Any, where: str) -> tuple[int, ...]:
    """A count gives 0, 1, ...; a list exactly these."""
    if not isinstance(value, list):
        count = int(checked(value, PositiveInt, where))
        if count > MOST_SEEDS:
            raise BadInput(f"{where}={count}: at most {MOST_SEEDS:,} seeds in one plan")
        return tuple(range(count))
    if not value:
        raise BadInput(f"{where}=[]: holds no seed; give a count, or a list of seeds")
    seeds = [int(checked(entry, Annotated[int, Range(at_least=0)], where)) for entry in value]
    repeated = [seed for seed, count in Counter(seeds).items() if count > 1]
    if repeated:
        raise BadInput(f"{where}={shown(value)}: {repeated[0]} stands there twice; each seed once")
    if max(seeds) >= MOST_SEEDS:
        raise BadInput(
            f"{where}={shown(value)}: seeds from {MOST_SEEDS:,} on are those of tuning and sweeps; "
            "take less"
        )
    return tuple(seeds)


def _single(
    group: str, values: Mapping[str, Any], config: Composed, leave_out: Sequence[str] = ()
) -> dict[str, Any]:
    """The settings that are no part of a run: one value each."""
    found: dict[str, Any] = {}
    for name, annotation in GROUP_SETTINGS[group].items():
        if name in leave_out:
            continue
        key = f"{group}.{name}"
        value = values.get(key)
        if isinstance(value, list):
            raise BadInput(f"{config.where(key)}={shown(value)}: takes one value")
        if key not in config.choice_keys or (value is None and key in MAY_BE_NULL):
            found[name] = None
        else:
            found[name] = checked(value, annotation, config.where(key))
    return found


def _results(value: Any, where: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | Mapping) or not str(value).strip() or not str(value).isprintable():
        raise BadInput(f"{where}={shown(value)}: must be one folder")
    if isinstance(value, bool | float):
        raise BadInput(f"{where}={shown(value)}: must be one folder, in quotes if that is its name")
    if str(Path(str(value))).startswith("-"):
        raise BadInput(
            f"{where}={shown(value)}: other commands would take a folder whose name begins with - "
            "for an option; give its whole path, or another name"
        )
    return str(value)
