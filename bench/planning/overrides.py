"""The command line, read by Hydra's own grammar: what it selects, and what it sets.

A list and Hydra's comma mean the same here: several values. `choice(...)`, `range(...)` and, for
members, `glob(...)` work too. `+key=` and `++key=` are `key=`: there is no key to add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench import discovery
from bench.discovery import KINDS
from bench.plain_text import one_line
from bench.planning.plain_data import check_key, check_text, flatten, shown
from bench.planning.vocabulary import CHOICES, check_key_exists
from bench.records import BadInput

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

LONGEST_RANGE = 1_000_000


@dataclass(frozen=True)
class Overrides:
    """What stands on a command line."""

    grid: Mapping[str, list[str]] = field(default_factory=dict)  # kind -> names, in its place
    choices: Mapping[str, str | None] = field(default_factory=dict)  # one of CHOICES -> option
    values: Mapping[str, Any] = field(default_factory=dict)  # dotted key -> a value or a list


def read(lines: Sequence[str]) -> Overrides:
    """What `lines` say. Of two values for one key the later counts, as in Hydra.

    Raises BadInput for what cannot be read, and for what only Hydra itself could use.
    """
    grid: dict[str, list[str]] = {}
    choices: dict[str, str | None] = {}
    values: dict[str, Any] = {}
    for line in lines:
        for key, value in flatten(*_key_and_value(line)):
            kind = key.removeprefix("grid.")
            if kind in KINDS:
                if kind in grid:
                    raise BadInput(
                        f"{one_line(line)}: {kind} is selected twice; write one list, {kind}=[A,B]"
                    )
                grid[kind] = _names(kind, value)
            elif key in CHOICES:
                choices[key] = _option(key, value)
            else:
                check_key_exists(key, one_line(line))
                values[key] = value
    return Overrides(grid, choices, values)


def _key_and_value(line: str) -> tuple[str, Any]:
    parsed = _parse(line)
    where = one_line(line)
    key = parsed.key_or_group
    if parsed.is_hydra_override() or key == "hydra":
        raise BadInput(f"{where}: Hydra's own settings do nothing here; leave it out")
    if parsed.is_delete():
        raise BadInput(f"{where}: nothing can be taken out; select what there is to be: task=NAME")
    if parsed.package is not None or not key:
        raise BadInput(f"{where}: must be KEY=VALUE, without @")
    check_key(key, where)
    value = _values(parsed, where)
    if (key in CHOICES or key == "results") and isinstance(value, int | float):
        # A name that looks like a number, or true, is the name as it is typed: 2024_01, 1e3.
        value = line.partition("=")[2].strip()
    _check(value, where)
    return key, value


def _parse(line: str) -> Override:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Quote, QuotedString
    from hydra.errors import HydraException

    if "=" not in line and not line.startswith("~"):
        raise BadInput(f"{one_line(line)}: must be KEY=VALUE")
    forms, problem = [line], ""
    key, _, folder = line.partition("=")
    if key == "results" and folder.isprintable():  # it may have a name that the grammar cannot read
        forms.append(f"results={QuotedString(folder, Quote.single).with_quotes()}")
    for form in forms:
        try:
            return OverridesParser.create().parse_override(form)
        # ValueError: Python's limit on the digits of a whole number.
        except (HydraException, ValueError, AssertionError, RecursionError) as error:
            problem = problem or one_line(str(error), 60)
    raise BadInput(
        f"{one_line(line)}: cannot be read ({problem}); a value with special characters goes in "
        "quotes: KEY=\"'VALUE'\""
    )


def _values(parsed: Override, where: str) -> Any:
    """The value: plain, a list of several, or a Glob over names."""
    from hydra.core.override_parser.types import (
        ChoiceSweep,
        Glob,
        IntervalSweep,
        QuotedString,
        RangeSweep,
    )

    value: Any = parsed.value()
    if isinstance(value, ChoiceSweep):
        return [entry.text if isinstance(entry, QuotedString) else entry for entry in value.list]
    if isinstance(value, RangeSweep):
        return _range(value, where)
    if isinstance(value, IntervalSweep):
        raise BadInput(f"{where}: an interval has no values to try; use range(START,STOP,STEP)")
    if isinstance(value, Glob) and parsed.key_or_group.removeprefix("grid.") not in KINDS:
        raise BadInput(f"{where}: glob() chooses among names; it works for {', '.join(KINDS)}")
    return value


def _range(sweep: Any, where: str) -> list[Any]:
    try:
        count = (sweep.stop - sweep.start) / sweep.step
    except (ZeroDivisionError, OverflowError):
        count = float("inf")
    if not 0 < count <= LONGEST_RANGE:
        raise BadInput(f"{where}: the range holds no value, or more than {LONGEST_RANGE:,}")
    return list(sweep.range())


def _check(value: Any, where: str) -> None:
    if isinstance(value, str):
        check_text(value, where)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            check_key(str(key), where)
            _check(entry, where)
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, list | Mapping):
                raise BadInput(f"{where}: {shown(entry)} stands in a list; a list holds values")
            _check(entry, where)


def _names(kind: str, value: Any) -> list[str]:
    from hydra.core.override_parser.types import Glob

    if isinstance(value, Glob):
        names: list[str] = value.filter([*discovery.members(kind), *discovery.unreadable(kind)])
        return names
    if value is None:
        return []
    return [shown(entry) for entry in value] if isinstance(value, list) else [shown(value)]


def _option(group: str, value: Any) -> str | None:
    if isinstance(value, list | Mapping):
        raise BadInput(f"{group}={shown(value)}: takes one name")
    return None if value is None else shown(value)
