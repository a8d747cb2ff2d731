"""The map of clip threshold by learning rate: where runs diverge, and where they solve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bench.reporting.analysis import Analysis
from bench.reporting.cells import Cell
from bench.reporting.curves import Gap
from bench.reporting.figures.style import BASELINE_NAME
from bench.reporting.figures.threshold_map_page import (
    ThresholdMap,
    ThresholdMapPage,
    max_maps,
)
from bench.reporting.labels import setting_text
from bench.reporting.pages.panels import Styles, chunks, title, without
from bench.reporting.pairs import solved
from bench.reporting.summaries import CellSummary

_SETTING = "threshold"
MIN_VALUES = 2
"""Of thresholds and of learning rates; with fewer there is no map."""

Thresholds: TypeAlias = tuple[float, ...]
"""Of each clipping rule that a combination has; empty for what runs without one."""
Places: TypeAlias = dict[tuple[Thresholds, float], CellSummary]
"""(thresholds, learning rate) -> cell"""


@dataclass(frozen=True)
class _Key:
    """What the cells of a map share."""

    title: str  # the task, and the optimiser without its learning rate
    architecture: str
    mitigation: str  # without its threshold


def threshold_map_pages(
    found: Analysis,
    styles: Styles,  # noqa: ARG001
    gaps: list[Gap],  # noqa: ARG001
) -> Iterator[ThresholdMapPage]:
    """For each rule with a threshold, where it and the learning rate have two values or more."""
    cells: dict[_Key, Places] = {}
    for summary in found.summaries:
        if summary.num_runs:
            cells.setdefault(_key(summary.cell), {})[_place(summary.cell)] = summary
    pages: dict[tuple[str, str], dict[str, Places]] = {}
    for key, places in cells.items():
        if _is_map(places):
            untreated = cells.get(_Key(key.title, key.architecture, BASELINE_NAME), {})
            by_architecture = pages.setdefault((key.title, key.mitigation), {})
            by_architecture[key.architecture] = places | _at_rates_of(places, untreated)
    for (title_, mitigation), by_architecture in pages.items():
        rows = len({thresholds for places in by_architecture.values() for thresholds, _ in places})
        for names in chunks(list(by_architecture), max_maps(rows)):
            maps = {name: by_architecture[name] for name in names}
            yield _page(f"{title_}, {mitigation}", maps)


def _page(title_: str, by_architecture: Mapping[str, Places]) -> ThresholdMapPage:
    every = [place for places in by_architecture.values() for place in places]
    # What runs without a threshold stands beyond the highest: nothing is clipped.
    thresholds = sorted({one for one, _ in every}, key=lambda one: (not one, one))
    rates = sorted({rate for _, rate in every})
    return ThresholdMapPage(
        title=title_,
        thresholds=[_text(one) for one in thresholds],
        learning_rates=[setting_text(rate) for rate in rates],
        maps=[_map(name, places, thresholds, rates) for name, places in by_architecture.items()],
        threshold_label="clip threshold",
    )


def _map(
    name: str, places: Places, thresholds: Sequence[Thresholds], rates: Sequence[float]
) -> ThresholdMap:
    def counts(read: Callable[[CellSummary], int]) -> np.ndarray:
        return np.array(
            [
                [read(places[one, rate]) if (one, rate) in places else 0 for rate in rates]
                for one in thresholds
            ]
        )

    return ThresholdMap(
        name,
        num_diverged=counts(lambda one: one.num_diverged),
        num_solved=counts(lambda one: sum(map(solved, one.cell.results))),
        num_runs=counts(lambda one: one.num_runs),
    )


def _is_map(places: Places) -> bool:
    """More than half of a grid of two by two or larger."""
    thresholds, rates = ({place[index] for place in places} for index in (0, 1))
    is_grid = min(len(thresholds), len(rates)) >= MIN_VALUES
    return is_grid and 2 * len(places) > len(thresholds) * len(rates)


def _at_rates_of(places: Places, untreated: Places) -> Places:
    rates = {rate for _, rate in places}
    return {place: one for place, one in untreated.items() if place[1] in rates}


def _key(cell: Cell) -> _Key:
    return _Key(
        title(cell, optimizer=without(cell.optimizer, "lr")),
        cell.architecture,
        without(cell.mitigation, _SETTING),
    )


def _place(cell: Cell) -> tuple[Thresholds, float]:
    thresholds = tuple(
        float(member.settings[_SETTING])
        for member in cell.spec.mitigation
        if _SETTING in member.settings
    )
    return thresholds, float(cell.spec.optimizer.settings["lr"])


def _text(thresholds: Thresholds) -> str:
    return " / ".join(map(setting_text, thresholds)) or BASELINE_NAME
