"""The outcome matrix: mitigation by architecture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.reporting.analysis import Analysis
from bench.reporting.cells import distinct
from bench.reporting.curves import Gap
from bench.reporting.endings import short_endings
from bench.reporting.figures.matrix_page import (
    MAX_ROWS,
    MatrixPage,
    MatrixPanel,
    max_columns,
    pages,
)
from bench.reporting.pages.panels import Styles, by_panel, chunks
from bench.reporting.summaries import CellSummary


def matrix_pages(found: Analysis, styles: Styles, gaps: list[Gap]) -> list[MatrixPage]:  # noqa: ARG001
    """One panel a task; rows are the same in all panels of a page. Nothing cannot be drawn."""
    panels = []
    for rows in chunks(distinct(cell.mitigation for cell in found.cells), MAX_ROWS):
        for name, members in by_panel(found.summaries):
            architectures = distinct(summary.cell.architecture for summary in members)
            for columns in chunks(architectures, max_columns(rows, architectures)):
                panels.append(_panel(name, members, rows, columns))
    return pages(panels)


def _panel(
    name: str, summaries: Sequence[CellSummary], rows: Sequence[str], columns: Sequence[str]
) -> MatrixPanel:
    shares = np.full((len(rows), len(columns)), np.nan)
    texts = [["not run" for _ in columns] for _ in rows]
    for summary in summaries:
        cell = summary.cell
        if cell.mitigation in rows and cell.architecture in columns:
            row, column = rows.index(cell.mitigation), columns.index(cell.architecture)
            shares[row, column] = (
                summary.num_diverged / summary.num_runs if summary.num_runs else np.nan
            )
            texts[row][column] = short_endings(summary)
    return MatrixPanel(name, rows, columns, shares, texts)
