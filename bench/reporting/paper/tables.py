"""The tables of the paper: those of a report, as LaTeX; the long ones also task by task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from bench.reporting.analysis import Analysis
from bench.reporting.cell_tables import learning_table, outcomes_table
from bench.reporting.comparison_tables import cells_table
from bench.reporting.comparisons import Compared
from bench.reporting.cost_table import costs_table
from bench.reporting.formats import render
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import slug
from bench.reporting.result_tables import result_tables
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Table
from bench.reporting.times_table import times_table
from bench.reporting.trials import trials_table
from bench.stats.multiplicity import Family

_OF_SUMMARIES: Sequence[Callable[[Sequence[CellSummary]], Table]] = (
    outcomes_table,
    learning_table,
    costs_table,
)


def table_files(material: Material) -> Iterator[tuple[str, bytes]]:
    """("tables/outcomes.tex", content); "tables/outcomes_adding.tex" has the lines of one task."""
    found = material.found
    for table in (*result_tables(found), *_by_task(found)):
        yield f"tables/{material.folder}{table.name}.tex", render(table, "tex").encode()


def _by_task(found: Analysis) -> Iterator[Table]:
    tasks = dict.fromkeys(cell.spec.task.name for cell in found.cells)
    if len(tasks) == 1:
        return
    for task in tasks:
        summaries = [one for one in found.summaries if one.cell.spec.task.name == task]
        yield from (_renamed(make(summaries), task) for make in _OF_SUMMARIES)
        if found.compared.in_cells:
            yield _renamed(cells_table(_in_cells_of(task, found.compared)), task)
        yield _renamed(times_table([one.cell for one in summaries]), task)
        searches = [one for one in found.searches if one.summary.cell.spec.task.name == task]
        if searches:
            yield _renamed(trials_table(searches), task)


def _renamed(table: Table, task: str) -> Table:
    return replace(table, name=f"{table.name}_{slug(task)}")


def _in_cells_of(task: str, compared: Compared) -> Compared:
    """The comparisons of one task, their p adjusted in the family of all cells as before."""
    places = [
        index for index, each in enumerate(compared.in_cells) if each.cell.spec.task.name == task
    ]
    return replace(
        compared,
        in_cells=[compared.in_cells[index] for index in places],
        cell_families=_members(compared.cell_families, places),
    )


def _members(families: Mapping[str, Family], places: Collection[int]) -> dict[str, Family]:
    return {
        outcome: replace(
            family,
            raw=tuple(family.raw[index] for index in places),
            adjusted=tuple(family.adjusted[index] for index in places),
        )
        for outcome, family in families.items()
    }
