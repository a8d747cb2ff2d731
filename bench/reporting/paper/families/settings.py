"""The settings that cells share: `settings.adding-30.length`, `settings.architecture.hidden_size`.

What differs between the cells of a member, as what trials chose does, stands with each cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.records import RunRecord, Setting
from bench.reporting.cells import Cell
from bench.reporting.labels import RUN_FIELDS, setting_text
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, distinct_ids, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import slug

_EVERY_RUN = ""
_KINDS = ("task", "architecture", "optimizer", _EVERY_RUN)


@dataclass
class _Group:
    """Members that go by one name, in all cells."""

    settings: list[Mapping[str, Setting]] = field(default_factory=list)
    runs: list[RunRecord] = field(default_factory=list)


def macros(material: Material) -> Iterator[Macro]:
    cells = [cell for cell in material.found.cells if cell.results]
    for name, group in _groups(cells).items():
        behind = distinct_ids(ids(group.runs))
        for setting, value in _shared(group.settings).items():
            where = "" if name in _KINDS else f" with {name}"
            meaning = f"setting {setting}, the same in all cells{where}"
            key = f"{name}.{setting}" if name else setting
            yield Macro(f"settings.{key}", written(value), meaning, behind)


def written(value: Setting) -> str:
    return numbers.whole(value) if type(value) is int else setting_text(value)


def _groups(cells: Sequence[Cell]) -> dict[str, _Group]:
    groups: dict[str, _Group] = defaultdict(_Group)
    for cell in cells:
        for name, settings in _named(cell):
            groups[name].settings.append(settings)
            groups[name].runs.extend(cell.results)
    return groups


def _named(cell: Cell) -> Iterator[tuple[str, Mapping[str, Setting]]]:
    """A member by its kind, by its name and by its label, of which any two may be the same."""
    spec = cell.spec
    for kind, member, label in (
        ("task", spec.task, cell.task),
        ("architecture", spec.architecture, cell.architecture),
        ("optimizer", spec.optimizer, cell.optimizer),
    ):
        for name in dict.fromkeys((kind, member.name, slug(label))):
            yield name, member.settings
    for member in spec.mitigation:
        yield member.name, member.settings
    yield _EVERY_RUN, {name: getattr(spec, name) for name in RUN_FIELDS}


def _shared(settings: Sequence[Mapping[str, Setting]]) -> dict[str, Setting]:
    """The settings that all have, with one value."""
    return {
        name: value
        for name, value in sorted(settings[0].items())
        if all(name in other and repr(other[name]) == repr(value) for other in settings)
    }
