"""Who solved what, at a glance: a line for each mitigation and a column for each block."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.reporting import best, wording
from bench.reporting.cells import distinct
from bench.reporting.endings import STOPPED_MARK, not_counted, some_were_stopped
from bench.reporting.pairs import Block, block_of
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Column, Emphasis, Table, Value, build, words
from bench.stats.estimates import NotEstimable

MAX_BLOCKS = 6
"""Columns that fit across a page; further blocks go into tables of their own."""


@dataclass(frozen=True)
class _Line:
    """A mitigation in the blocks it ran in."""

    mitigation: str
    in_block: Mapping[Block, CellSummary]


def solved_by_block(summaries: Sequence[CellSummary]) -> list[Table]:
    """solved_by_block, or solved_by_block_1, _2, ... where there are more than six blocks."""
    marks = best.marks_of([summary.cell for summary in summaries])
    blocks = list(dict.fromkeys(block_of(summary.cell) for summary in summaries))
    groups = [blocks[at : at + MAX_BLOCKS] for at in range(0, len(blocks), MAX_BLOCKS)]
    lines = [
        _Line(name, {block_of(one.cell): one for one in summaries if one.cell.mitigation == name})
        for name in distinct(summary.cell.mitigation for summary in summaries)
    ]
    tables = []
    for number, group in enumerate(groups, start=1):
        columns = [
            words("Mitigation", "mitigation", lambda row: row.mitigation),
            *(_column(block, blocks, marks) for block in group),
        ]
        shown = [line for line in lines if not line.in_block.keys().isdisjoint(group)]
        suffix, part = (f"_{number}", f" ({number} of {len(groups)})") if groups[1:] else ("", "")
        heading = f"Solved by block{part}"
        caption = _caption([one for one in summaries if block_of(one.cell) in group], marks)
        tables.append(build(f"solved_by_block{suffix}", heading, caption, columns, shown))
    return tables


def _caption(summaries: Sequence[CellSummary], marks: best.Marks) -> str:
    sentences = [
        "Runs that solved, of all runs of the cell; in brackets how many diverged, where any did.",
        best.explanation([summary.cell for summary in summaries], marks),
        f"{STOPPED_MARK} Solved runs were stopped: diverged before solving."
        if some_were_stopped(summaries)
        else "",
    ]
    return " ".join(filter(None, sentences))


def _column(block: Block, blocks: Sequence[Block], marks: best.Marks) -> Column[_Line]:
    def text(row: _Line) -> str:
        return _text(row.in_block[block]) if block in row.in_block else wording.NOTHING

    def emphasis(row: _Line) -> Emphasis:
        if block not in row.in_block:
            return Emphasis.NONE
        return best.emphasis(marks[row.in_block[block].cell.cell_id])

    def number(read: Callable[[CellSummary], int]) -> Callable[[_Line], Value]:
        return lambda row: read(row.in_block[block]) if block in row.in_block else None

    def standing(row: _Line) -> str:
        if block not in row.in_block:
            return "not run"
        return best.word(marks[row.in_block[block].cell.cell_id])

    name = ", ".join(part for part in block if part)
    fields: Mapping[str, Callable[[_Line], Value]] = {
        f"{name}: solved": number(_num_solved),
        f"{name}: runs": number(lambda summary: summary.num_runs),
        f"{name}: diverged": number(lambda summary: summary.num_diverged),
        f"{name}: standing": standing,
    }
    return Column(_heading(block, blocks), text, fields, emphasis=emphasis)


def _heading(block: Block, blocks: Sequence[Block]) -> str:
    """What tells the block from the others, and settings, on lines of their own."""
    task, architecture, optimizer, conditions = block
    several_optimizers = len({each[2] for each in blocks}) > 1
    parts = [task, architecture, optimizer if several_optimizers else "", conditions]
    return "\n".join(re.sub(r"(?: (?=\()|(?<=,) )", "\n", part) for part in parts if part)


def _text(summary: CellSummary) -> str:
    """ "9/16 (3 div.)", or what there is instead of results."""
    if summary.num_runs == 0:
        return ", ".join(not_counted(summary)) or wording.NOTHING
    mark = STOPPED_MARK if summary.cell.spec.stop_on_solved else ""
    diverged = f" ({summary.num_diverged} div.{mark})" if summary.num_diverged else ""
    return wording.count(summary.solved) + diverged


def _num_solved(summary: CellSummary) -> int:
    return 0 if isinstance(summary.solved, NotEstimable) else summary.solved.count
