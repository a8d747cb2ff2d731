"""The columns that name a line's cell, the same in every table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.tables import Column, Row


def label_columns(cells: Sequence[Cell], cell_of: Callable[[Row], Cell]) -> list[Column[Row]]:
    """Optimiser and settings are shown to a reader only where they differ."""

    def label(heading: str, key: str, read: Callable[[Cell], str], *, shown: bool) -> Column[Row]:
        text = (lambda row: read(cell_of(row)) or wording.NOTHING) if shown else None
        fields = {key: lambda row: read(cell_of(row)) or "as all"}
        return Column(heading, text, fields, is_text=True)

    several_optimizers = len({cell.optimizer for cell in cells}) > 1
    conditions = any(cell.conditions for cell in cells)
    return [
        label("Task", "task", lambda cell: cell.task, shown=True),
        label("Optimizer", "optimizer", lambda cell: cell.optimizer, shown=several_optimizers),
        label("Settings", "settings", lambda cell: cell.conditions, shown=conditions),
        label("Architecture", "architecture", lambda cell: cell.architecture, shown=True),
        label("Mitigation", "mitigation", lambda cell: cell.mitigation, shown=True),
        Column("", None, {"cell_id": lambda row: cell_of(row).cell_id}),
    ]
