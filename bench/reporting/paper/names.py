"""From the labels of cells to the names of numbers: `cell.adding-30.rnn_tanh.clip_norm.solved`.

A label is the words of a report's table: "adding (length=30)". Of a setting in brackets the name
keeps the value alone.
"""

from __future__ import annotations

import re

from bench.reporting.cells import Cell

_BRACKETS = re.compile(r" ?\(([^()]*)\)")
_OTHERS = re.compile(r"[^A-Za-z0-9_.+=-]+")


def slug(label: str) -> str:
    """ "adding (length=30), momentum" -> "adding-30.momentum"."""
    values = _BRACKETS.sub(lambda found: "-" + _values(found[1]), label)
    return _OTHERS.sub("-", values.replace(", ", "."))


def block_name(cell: Cell) -> str:
    """Of the task, the architecture and all that cells share which differ in their mitigation."""
    return f"{slug(cell.panel)}.{slug(cell.architecture)}"


def place_name(cell: Cell) -> str:
    """Of its block and mitigation: `adding-30.rnn_tanh.clip_norm`."""
    return f"{block_name(cell)}.{slug(cell.mitigation)}"


def cell_name(cell: Cell) -> str:
    """Begins the names of the numbers of a cell."""
    return f"cell.{place_name(cell)}"


def in_words(cell: Cell) -> str:
    """For a meaning: "adding (length=30), rnn_tanh, clip_norm"."""
    return f"{cell.panel}, {cell.architecture}, {cell.mitigation}"


def _values(settings: str) -> str:
    return "-".join(setting.rpartition("=")[2] for setting in settings.split(", "))
