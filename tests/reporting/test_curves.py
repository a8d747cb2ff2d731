from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import LeftOut, Outcome, RunRecord
from bench.reporting.bands import Band
from bench.reporting.cells import Cell, group
from bench.reporting.collection import collect
from bench.reporting.curves import CellCurves, align, read_curves
from tests.reporting.made_up import curves, record, stored

COMPLETED, DIVERGED, FROZEN = Outcome.COMPLETED, Outcome.DIVERGED, Outcome.FROZEN


def run(
    seed: int, steps: list[int], losses: list[float], outcome: Outcome = COMPLETED
) -> RunRecord:
    values = np.array(losses, dtype=float)
    return record(outcome, seed=seed, curves=curves(np.array(steps), values, values))


def only_cell(runs: list[RunRecord]) -> Cell:
    (cell,) = group(collect(stored(runs)))
    return cell


def read(runs: list[RunRecord]) -> CellCurves:
    return read_curves(only_cell(runs))


def loss(runs: list[RunRecord]) -> Band:
    band = read(runs).loss
    assert band is not None
    return band


def test_a_row_stands_for_the_updates_since_the_row_before() -> None:
    points, table = align(
        [np.array([1.0, 10, 20]), np.array([1.0, 7])],
        [np.array([5.0, 4, 3]), np.array([9.0, 8])],
        [None, np.inf],
    )
    assert points.tolist() == [1, 7, 10, 20]
    assert table.tolist() == [[5, 4, 4, 3], [9, 8, np.inf, np.inf]]


def test_after_its_end_a_diverged_run_is_worse_than_any_number_and_a_frozen_one_stays() -> None:
    for outcome, last in ((DIVERGED, np.inf), (FROZEN, 2.0), (COMPLETED, 2.0)):
        ended = [run(seed, [1, 5], [1.0, 2.0], outcome) for seed in range(2)]
        other = run(2, [1, 5, 100], [0.5, 0.5, 0.5])
        assert loss([*ended, other]).median.tolist() == [1.0, 2.0, last]


def test_runs_whose_curves_were_left_out_have_no_part_in_the_band() -> None:
    """A run that diverged before its first row counts as infinite; one of these may not have."""
    runs = [run(seed, [1, 5], [1.0, 2.0]) for seed in range(3)]
    without = [
        replace(run(seed, [1], [1.0], DIVERGED), curves=LeftOut(), flow=LeftOut())
        for seed in range(3, 10)
    ]
    mixed = read([*runs, *without])
    assert mixed.loss is not None
    assert mixed.loss.median.tolist() == [1.0, 2.0]
    assert mixed.gaps[0] == "curves: left out of a packed store for 7 of 10 runs"
    assert mixed.gaps[1:] == read(runs).gaps
    alone = read(without)
    assert (alone.loss, alone.gradient_norm, alone.flow) == (None, None, None)
    assert alone.gaps == ["curves: left out of a packed store for 7 of 7 runs"]


def test_the_median_does_not_mend_because_the_worst_runs_have_died() -> None:
    runs = [run(seed, [1, 10, 100], [1.0, 1.0, 0.1]) for seed in range(2)]
    dead = [run(seed, [1, 4], [1.0, 1e9], DIVERGED) for seed in range(2, 5)]
    band = loss(runs + dead)
    assert band.x.tolist() == [1, 4, 10, 100]
    assert band.median.tolist() == [1.0, 1e9, np.inf, np.inf]
    assert [trace.ending for trace in band.traces] == ["diverged"] * 3


@given(
    st.lists(st.lists(st.floats(0, 1e30), min_size=4, max_size=4), min_size=1, max_size=8),
    st.data(),
)
def test_a_run_that_dies_early_lowers_no_line(
    losses: list[list[float]], data: st.DataObject
) -> None:
    steps = [1, 10, 100, 1000]
    runs = [run(seed, steps, values) for seed, values in enumerate(losses)]
    dies = data.draw(st.integers(0, len(runs) - 1))
    end = data.draw(st.integers(1, 4))
    worse = runs.copy()
    worse[dies] = run(dies, steps[:end], losses[dies][:end], DIVERGED)
    before, after = loss(runs), loss(worse)
    shown = np.isin(before.x, after.x)
    lines = zip(all_lines(before), all_lines(after), strict=True)
    assert all((better[shown] <= worse).all() for better, worse in lines)


def all_lines(band: Band) -> list[np.ndarray]:
    return [band.median, *(band.quartiles or ())]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_drawn_as_infinity(value: float) -> None:
    band = loss([run(0, [1, 2, 3], [1.0, value, 2.0])])
    assert band.median.tolist() == [1.0, np.inf, 2.0]


def test_few_runs_are_shown_one_by_one_and_more_by_their_quartiles() -> None:
    outcomes = [COMPLETED, DIVERGED, COMPLETED, FROZEN, COMPLETED]
    runs = [run(seed, [1], [float(seed)], outcome) for seed, outcome in enumerate(outcomes)]
    for num in (2, 3, 4):
        few = loss(runs[:num])
        assert few.quartiles is None
        assert [trace.y[0] for trace in few.traces] == list(range(num))
        assert [trace.ending for trace in few.traces] == [end.value for end in outcomes[:num]]
    more = loss(runs)
    assert more.quartiles is not None
    low, high = more.quartiles
    assert (low[0], more.median[0], high[0]) == (1, 2, 3)
    assert [trace.ending for trace in more.traces] == ["diverged", "frozen"]
    assert loss(runs[:1]).traces == []  # its median is the run


def test_the_flow_of_few_runs_is_shown_one_by_one_too() -> None:
    for num, shown in ((1, []), (4, [0.0, 1.0, 2.0, 3.0]), (5, [])):
        band = read([flow(seed, [(1, 0, float(seed))]) for seed in range(num)]).flow
        assert band is not None
        assert [trace.y[0] for trace in band.traces] == shown
        assert (band.quartiles is None) == (num < 5)


def test_a_run_that_diverged_before_its_first_row_counts_from_the_start() -> None:
    runs = [run(0, [1, 2], [1.0, 1.0]), record(DIVERGED, seed=1)]
    assert loss(runs).median.tolist() == [np.inf, np.inf]
    assert read(runs).gaps[0] == "curves: 1 of 2 runs recorded them"


def test_without_curves_there_is_nothing_to_draw_and_the_reason_is_kept() -> None:
    found = read([record(seed=seed) for seed in range(2)])
    assert found.loss is found.gradient_norm is found.flow is None
    assert found.gaps == [
        "curves: 0 of 2 runs recorded them",
        "gradient flow: 0 of 2 runs were probed",
    ]


def flow(seed: int, rows: list[tuple[int, int, float]]) -> RunRecord:
    step, position, norm = np.array(rows, dtype=float).T
    return record(seed=seed, flow={"step": step, "position": position, "gradient_norm": norm})


def test_the_flow_is_that_of_the_first_probed_step_by_position() -> None:
    rows = [(10, 0, 7.0), (1, 1, 2.0), (1, 0, 1.0), (10, 1, 9.0)]
    band = read([flow(0, rows)]).flow
    assert band is not None
    assert (band.x.tolist(), band.median.tolist()) == ([0, 1], [1.0, 2.0])


def test_a_flow_that_is_not_finite_is_kept_as_infinity() -> None:
    band = read([flow(0, [(1, 0, np.nan), (1, 1, np.inf), (1, 2, 1.0)])]).flow
    assert band is not None
    assert band.median.tolist() == [np.inf, np.inf, 1.0]


class ReadOnce(Mapping[str, np.ndarray]):
    """Like the store's tables: reads when asked, and keeps what it has read."""

    def __init__(self, table: dict[str, np.ndarray]) -> None:
        self._source, self.kept = table, None

    def _table(self) -> dict[str, np.ndarray]:
        self.kept = self.kept or dict(self._source)
        return self.kept

    def __getitem__(self, name: str) -> np.ndarray:
        return self._table()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())


def test_reading_a_cell_leaves_its_curves_in_the_store() -> None:
    """Or a report over many runs would hold the curves of all of them in the end."""
    table = ReadOnce(curves(np.array([1, 2]), np.ones(2), np.ones(2)))
    cell = only_cell([record(curves=table)])
    band = read_curves(cell).loss
    assert band is not None
    assert band.median.tolist() == [1, 1]
    assert table.kept is None
