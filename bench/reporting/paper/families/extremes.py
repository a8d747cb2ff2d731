"""What stands out, in words: the best method of a block, and the methods that made a difference.

A best one is described, not tested: among many methods one is best by luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.reporting import best, wording
from bench.reporting.comparisons import OUTCOMES
from bench.reporting.pairs import CONTROL, beside_control, by_block
from bench.reporting.paper import numbers
from bench.reporting.paper.families.pooled import Line, line, neutral, runs_of_pairs
from bench.reporting.paper.macro import Macro, distinct_ids, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import block_name
from bench.reporting.summaries import CellSummary
from bench.stats.best import Standing
from bench.stats.estimates import NotEstimable

_SIDES = {
    "solved": {1: "more", -1: "fewer"},
    "diverged": {1: "more", -1: "fewer"},
    "metric": {1: "better", -1: "worse"},
}

NO_METHOD = "no method"
_MEANING = {
    "solved": "runs that solved, against none, over blocks, by Holm's adjusted p",
    "diverged": "runs that diverged, against none, over blocks, by Holm's adjusted p",
    "metric": "final test metric, against none, over blocks, by Holm's adjusted p",
}


def macros(material: Material) -> Iterator[Macro]:
    yield from _best(material)
    yield from _found(material)
    yield from _baseline(material)


def _best(material: Material) -> Iterator[Macro]:
    """As the tables mark them: by the runs that solved, on the seeds of the block."""
    summaries = {one.cell.cell_id: one for one in material.found.summaries if one.num_runs}
    marks = best.marks_of(material.found.cells)
    for cells in by_block(material.found.cells).values():
        ours = [summaries[cell.cell_id] for cell in cells if cell.cell_id in summaries]
        if ours:
            yield from _best_of_block(ours, marks)


def _best_of_block(ours: Sequence[CellSummary], marks: best.Marks) -> Iterator[Macro]:
    cell = ours[0].cell
    name, where = f"best.{block_name(cell)}", f"{cell.panel}, {cell.architecture}"
    behind = ids(run for one in ours for run in one.cell.results)
    standing = {one.cell.mitigation: best.word(marks[one.cell.cell_id]) for one in ours}
    for key, word, meaning in (
        ("methods", Standing.BEST, "solved most often"),
        ("rivals", Standing.NOT_DISTINGUISHABLE, "cannot be told from the best"),
        ("worse", Standing.WORSE, "solved less often than the best, by adjusted p"),
    ):
        names = [method for method, placed in standing.items() if placed == word.value]
        count = numbers.whole(len(names))
        yield Macro(f"{name}.{key}", count, f"methods, how many: {meaning}: {where}", behind)
        listed = numbers.listed(names, NO_METHOD)
        yield Macro(f"{name}.{key}.names", listed, f"methods, which: {meaning}: {where}", behind)
    text, meaning = wording.count(max(ours, key=_share).solved), "runs that solved, at best"
    yield Macro(f"{name}.solved", text, f"{meaning}: {where}", behind)


def _share(summary: CellSummary) -> float:
    assert not isinstance(summary.solved, NotEstimable)  # it has runs
    return summary.solved.share


def _found(material: Material) -> Iterator[Macro]:
    """`found.solved.more` is how many methods solved more often than none, by adjusted p."""
    compared, beside = material.found.compared, beside_control(material.found.cells)
    behind = distinct_ids([each for pairs in beside.values() for each in runs_of_pairs(pairs)])
    for outcome in OUTCOMES:
        adjusted = compared.pooled_families[outcome].adjusted
        lines = {
            pooled.mitigation: line(getattr(pooled, outcome), adjusted[index])
            for index, pooled in enumerate(compared.pooled)
        }
        sides = {
            name: found.side(neutral(outcome)) if found.is_found() else 0
            for name, found in lines.items()
            if isinstance(found, Line)
        }
        for side, word in _SIDES[outcome].items():
            names = [name for name, found in sides.items() if found == side]
            yield from _list(f"found.{outcome}.{word}", names, _MEANING[outcome], behind)
        undecided = [name for name in lines if not sides.get(name)]
        yield from _list(f"found.{outcome}.undecided", undecided, _MEANING[outcome], behind)
    tested = numbers.whole(len(compared.pooled))
    yield Macro("found.family", tested, "mitigations that are compared with none", behind)


def _list(name: str, names: Sequence[str], what: str, behind: tuple[str, ...]) -> Iterator[Macro]:
    word = name.rpartition(".")[2]
    yield Macro(name, numbers.whole(len(names)), f"mitigations, how many: {word}: {what}", behind)
    yield Macro(
        f"{name}.names", numbers.listed(names), f"mitigations, which: {word}: {what}", behind
    )


def _baseline(material: Material) -> Iterator[Macro]:
    """In how many blocks the untreated network diverged, and how often."""
    untreated = [
        one for one in material.found.summaries if one.num_runs and one.cell.mitigation == CONTROL
    ]
    behind = ids(run for one in untreated for run in one.cell.results)
    some = [one for one in untreated if one.num_diverged]
    most = [one for one in untreated if 2 * one.num_diverged > one.num_runs]
    none = [one for one in untreated if not _share(one)]
    for key, ours, meaning in (
        ("blocks", untreated, "blocks in which it ran"),
        ("blocks.diverged", some, "blocks in which some of its runs diverged"),
        ("blocks.mostly_diverged", most, "blocks in which more than half of its runs diverged"),
        ("blocks.never_solved", none, "blocks in which none of its runs solved"),
    ):
        text = numbers.whole(len(ours))
        yield Macro(f"untreated.{key}", text, f"without a mitigation: {meaning}", behind)
