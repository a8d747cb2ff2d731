"""Performance profiles over blocks, each on the scale of its own task."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from bench.records import RunRecord
from bench.reporting.analysis import Analysis
from bench.reporting.cells import Cell
from bench.reporting.criteria import solved_level
from bench.reporting.curves import Gap
from bench.reporting.figures.profile_page import ProfilePage
from bench.reporting.figures.style import BASELINE_NAME
from bench.reporting.pages.panels import Styles, cut
from bench.reporting.pairs import Block, by_block, diverged, lacks_metric, seeds_of
from bench.reporting.summaries import CellSummary, chance_level
from bench.stats.estimates import NotEstimable
from bench.stats.profiles import Profile, fixed_scale, performance_profile

MIN_BLOCKS = 2
"""In one block alone the profile says no more than its metric does."""
_MAX_NAMES = 4


def profile_pages(found: Analysis, styles: Styles, gaps: list[Gap]) -> Iterator[ProfilePage]:
    """Mitigations that ran in the same blocks are together, with the baseline in those blocks.

    So that which blocks a profile is of depends on its mitigation alone.
    """
    scored = _scored(found.summaries, gaps)
    blocks_of: dict[str, list[Block]] = {}
    for mitigation, block in scored:
        blocks_of.setdefault(mitigation, []).append(block)
    together: dict[tuple[Block, ...], list[str]] = {}
    for mitigation, own in blocks_of.items():
        together.setdefault(tuple(own), []).append(mitigation)
    for blocks, mitigations in together.items():
        if len(blocks) < MIN_BLOCKS:
            continue
        every = _with_baseline(mitigations, set(blocks) <= set(blocks_of.get(BASELINE_NAME, ())))
        heading = _heading(blocks)
        profiles = {
            (heading, mitigation): profile
            for mitigation in every
            if (profile := _profile([scored[mitigation, block] for block in blocks])) is not None
        }
        for columns, panels in cut(profiles):
            yield ProfilePage(_title(blocks), columns, panels, styles)


def _with_baseline(mitigations: Sequence[str], is_there: bool) -> list[str]:
    return list(dict.fromkeys([*([BASELINE_NAME] if is_there else []), *mitigations]))


def _title(blocks: Sequence[Block]) -> str:
    return _names([task for task, *_ in blocks], "tasks")


def _heading(blocks: Sequence[Block]) -> str:
    architectures = [architecture for _, architecture, *_ in blocks]
    return f"{len(blocks)} blocks: {_names(architectures, 'architectures')}"


def _names(labels: Sequence[str], noun: str) -> str:
    """ "adding, digits", whatever the settings, or "6 tasks"."""
    names = list(dict.fromkeys(label.partition(" (")[0] for label in labels))
    return ", ".join(names) if len(names) <= _MAX_NAMES else f"{len(names)} {noun}"


def _profile(scores: Sequence[Mapping[int, float]]) -> Profile | None:
    """`scores` of each block by seed; a seed without a result in a block is missing there."""
    seeds = sorted({seed for block in scores for seed in block})
    table = np.array([[block.get(seed, math.nan) for seed in seeds] for block in scores])
    profile = performance_profile(np.nan_to_num(table, nan=0.0, neginf=-np.inf), ~np.isnan(table))
    return None if isinstance(profile, NotEstimable) else profile


def _scored(
    summaries: Sequence[CellSummary], gaps: list[Gap]
) -> dict[tuple[str, Block], dict[int, float]]:
    """(mitigation, block) -> seed -> score, of the blocks that share their seeds."""
    blocks = by_block([summary.cell for summary in summaries if summary.num_runs])
    if len(blocks) < MIN_BLOCKS:
        return {}
    seeds = {block: tuple(seeds_of(cells)) for block, cells in blocks.items()}
    usual = _commonest(seeds.values())
    found = {}
    for block, cells in blocks.items():
        scale = _scale(cells)
        for cell in cells:
            problem = scale if isinstance(scale, str) else _problem(cell.results)
            if seeds[block] != usual:
                problem = "its block has not the seeds of the others"
            if problem:
                gaps.append(Gap(cell, f"performance profile: {problem}"))
            else:
                assert not isinstance(scale, str)
                found[cell.mitigation, block] = _scores(cell.results, *scale)
    return found


def _commonest(seeds: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Of several that are equally common, the one with the most seeds, then the lowest."""
    counts = Counter(seeds)
    return min(counts, key=lambda one: (-counts[one], -len(one), one))


def _scale(cells: Sequence[Cell]) -> tuple[float, float] | str:
    """(chance level, criterion) of the metric of the block's task, or what is missing."""
    runs = [run for cell in cells for run in cell.results]
    chance, higher = chance_level(runs, "chance_metric"), runs[0].facts.get("higher_is_better")
    if chance is None or higher is None:
        return "the runs do not state the chance level"
    task = cells[0].spec.task
    solved = solved_level(task, chance=chance, higher_is_better=bool(higher))
    return (
        f"the criterion of {task.name} is no number that its file states"
        if solved is None
        else (chance, solved)
    )


def _problem(runs: Sequence[RunRecord]) -> str:
    lacking = sum(map(lacks_metric, runs))
    return f"{lacking} of {len(runs)} runs hold no test metric" if lacking else ""


def _scores(runs: Sequence[RunRecord], chance: float, solved: float) -> dict[int, float]:
    """Seed -> score."""
    metrics = np.array([run.scores.get("test_metric", math.nan) for run in runs])
    scores = fixed_scale(metrics, np.array(list(map(diverged, runs))), chance=chance, solved=solved)
    return {run.spec.seed: float(score) for run, score in zip(runs, scores, strict=True)}
