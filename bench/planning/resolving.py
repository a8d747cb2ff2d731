"""A composed config -> the values to try of every setting, each checked against its schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from bench.discovery import Member
from bench.planning.composing import Composed
from bench.planning.keys import keep_known
from bench.planning.plain_data import checked, shown
from bench.planning.references import resolve
from bench.planning.vocabulary import GROUP_SETTINGS, KNOBS, MAY_BE_NULL, RUN_SETTINGS
from bench.records import BadInput, Setting
from bench.settings import PositiveInt, Range

MOST_SEEDS = 1_000_000


@dataclass(frozen=True)
class Column:
    """The values to try of one setting. Settings of one `axis` change together."""

    axis: str  # the setting's own key, or the knob's
    values: tuple[Setting, ...]


@dataclass(frozen=True)
class Resolved:
    """Every value of a config, checked and cast."""

    members: Mapping[tuple[str, str], Mapping[str, Column]]  # (kind, name) -> setting ->
    run: Mapping[str, Column]  # RUN_SETTINGS, and those of the protocol
    seeds: tuple[int, ...]
    knobs: Mapping[str, Any]  # as given; null leaves each member its own
    executor: Mapping[str, Any]
    logger: Mapping[str, Any]
    results: str | None


def check_all(config: Composed) -> Resolved:
    """Raises BadInput for an unknown key, a wrong type, a value out of range."""
    values = resolve(keep_known(config), config.where)
    values |= {knob: _knob(knob, values, config) for knob in KNOBS}
    return Resolved(
        {
            (kind, member.name): _member(kind, member, values, config)
            for kind, members in config.selection.members.items()
            for member in members
        },
        _run(values, config),
        seeds=_seeds(values.get("seeds"), config.where("seeds")),
        knobs={knob: values[knob] for knob in KNOBS},
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
            columns[setting] = _column(key, values[key], annotation, config)
        else:
            columns[setting] = _column(
                setting, values[setting], annotation, config, f" ({kind} {member.name})"
            )
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
    for name, annotation in GROUP_SETTINGS["protocol"].items():
        settings[name] = (f"protocol.{name}", annotation)
    run = {
        name: _column(key, values.get(key), annotation, config)
        for name, (key, annotation) in settings.items()
    }
    checks, evaluations = (
        max(map(int, run["solved_checks"].values)),
        min(map(int, run["evaluations"].values)),
    )
    if checks > evaluations:
        raise BadInput(
            f"{config.where('protocol.solved_checks')}={checks}: more than there are evaluations "
            f"({evaluations}), so that no run could be solved; raise protocol.evaluations"
        )
    return run


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
    return tuple(seeds)


def _single(group: str, values: Mapping[str, Any], config: Composed) -> dict[str, Any]:
    """The settings that are no part of a run: one value each."""
    found: dict[str, Any] = {}
    for name, annotation in GROUP_SETTINGS[group].items():
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
    return str(value)
