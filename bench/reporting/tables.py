"""A table: columns that say once what a reader sees and what a machine reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

Value: TypeAlias = str | int | float | None
"""What a machine reads: a column of the .csv holds words or finite numbers, never both. None, an
empty field, stands where there is no number; another column of its row says why."""

Row = TypeVar("Row")


class Emphasis(Enum):
    """How a cell stands out for a reader; a field of the .csv says the same in a word."""

    NONE = 0
    BOLD = 1
    DAGGER = 2


@dataclass(frozen=True)
class Column(Generic[Row]):
    """`text` is what a reader sees under `heading`; `fields` are the columns of the .csv."""

    heading: str  # a line break in it is one in the table
    text: Callable[[Row], str] | None  # None: for machines alone
    fields: Mapping[str, Callable[[Row], Value]]
    is_text: bool = False  # set flush left; numbers and what stands for them, flush right
    emphasis: Callable[[Row], Emphasis] = lambda _: Emphasis.NONE


def words(heading: str, key: str, read: Callable[[Row], str]) -> Column[Row]:
    """The same text for a reader and a machine."""
    return Column(heading, read, {key: read}, is_text=True)


def whole_number(heading: str, key: str, read: Callable[[Row], int]) -> Column[Row]:
    return Column(heading, lambda row: str(read(row)), {key: read})


@dataclass(frozen=True)
class Table:
    """Both faces of the same rows."""

    name: str  # of its files
    heading: str
    caption: str
    headings: Sequence[str]
    lines: Sequence[Sequence[str]]
    emphases: Sequence[Sequence[Emphasis]]  # of each text in `lines`
    is_text: Sequence[bool]  # of each column
    records: Sequence[Mapping[str, Value]]
    field_names: Sequence[str]


def build(
    name: str, heading: str, caption: str, columns: Sequence[Column[Row]], rows: Sequence[Row]
) -> Table:
    shown = [column for column in columns if column.text is not None]
    readers = [(key, read) for column in columns for key, read in column.fields.items()]
    return Table(
        name=name,
        heading=heading,
        caption=caption,
        headings=[column.heading for column in shown],
        lines=[[column.text(row) for column in shown if column.text] for row in rows],
        emphases=[[column.emphasis(row) for column in shown] for row in rows],
        is_text=[column.is_text for column in shown],
        records=[{key: read(row) for key, read in readers} for row in rows],
        field_names=[key for key, _ in readers],
    )
