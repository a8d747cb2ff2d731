"""The tables of results, in the order of the report; the paper takes its own from the same list."""

from __future__ import annotations

from collections.abc import Iterator

from bench.reporting.analysis import Analysis
from bench.reporting.cell_tables import learning_table, outcomes_table
from bench.reporting.comparison_tables import comparison_tables
from bench.reporting.cost_table import costs_table
from bench.reporting.equivalence_table import equivalence_table
from bench.reporting.solved_by_block import solved_by_block
from bench.reporting.tables import Table
from bench.reporting.times_comparison_table import times_comparison_table
from bench.reporting.times_table import times_table
from bench.reporting.trials import trials_table


def result_tables(found: Analysis) -> Iterator[Table]:
    """Those with something to say."""
    yield outcomes_table(found.summaries)
    yield from solved_by_block(found.summaries)
    yield learning_table(found.summaries)
    yield times_table(found.cells)
    yield from comparison_tables(found.compared)
    for with_none in (equivalence_table, times_comparison_table):
        table = with_none(found.cells)
        if table is not None:
            yield table
    yield costs_table(found.summaries)
    if found.searches:
        yield trials_table(found.searches)
