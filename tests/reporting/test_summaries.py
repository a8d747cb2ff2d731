from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import Event, EventKind, Outcome, RunRecord
from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.events import event_rows
from bench.reporting.summaries import CellSummary, CommonEvent, summarise
from bench.stats.censoring import TimesToReach
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion
from bench.stats.ranks import Spread
from tests.reporting.made_up import STEPS, record, stored

COMPLETED, DIVERGED, FROZEN = Outcome.COMPLETED, Outcome.DIVERGED, Outcome.FROZEN

OUTCOMES = st.sampled_from([COMPLETED, DIVERGED, FROZEN])
METRICS = st.one_of(st.floats(0, 1), st.sampled_from([math.nan, math.inf]))
SOLVED = st.one_of(st.none(), st.integers(1, STEPS))
CELLS = st.lists(st.tuples(OUTCOMES, METRICS, SOLVED), min_size=1, max_size=9)


def summary(runs: list[RunRecord]) -> CellSummary:
    (cell,) = group(collect(stored(runs)))
    return summarise(cell)


def made(rows: list[tuple[Outcome, float, int | None]], *, higher: bool = False) -> list[RunRecord]:
    return [
        record(
            outcome,
            metric=metric,
            solved_step=solved,
            seed=seed,
            facts={"higher_is_better": higher},
        )
        for seed, (outcome, metric, solved) in enumerate(rows)
    ]


def badness(found: CellSummary) -> dict[str, float]:
    """Every figure of a cell, so that more is worse."""
    diverged, solved = found.outcomes[DIVERGED], found.solved
    assert isinstance(diverged, Proportion)
    assert isinstance(solved, Proportion)
    figures = {
        "diverged": diverged.count,
        "diverged low": diverged.low,
        "diverged high": diverged.high,
        "not solved": -solved.count,
        "not solved low": -solved.low,
        "not solved high": -solved.high,
    }
    sign = -1 if found.higher_is_better else 1
    for spread, direction in ((found.steps_to_solve, 1), (found.metric, sign)):
        if isinstance(spread, TimesToReach | Spread):
            for name in ("median", "lower_quartile", "upper_quartile"):
                if not isinstance(value := getattr(spread, name), NotEstimable):
                    figures[f"{type(spread).__name__} {name}"] = direction * value
    return figures


@given(CELLS, st.booleans(), st.data())
def test_a_run_that_diverges_instead_improves_no_figure(
    rows: list[tuple[Outcome, float, int | None]], higher: bool, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    worse = rows.copy()
    worse[index] = (DIVERGED, data.draw(METRICS), None)
    before = badness(summary(made(rows, higher=higher)))
    after = badness(summary(made(worse, higher=higher)))
    for name, value in after.items():
        assert value >= before[name], name


@given(CELLS, st.randoms())
def test_the_order_of_the_seeds_changes_nothing(
    rows: list[tuple[Outcome, float, int | None]], random: object
) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert badness(summary(made(shuffled))) == badness(summary(made(rows)))


def test_a_finite_metric_of_a_diverged_run_does_not_count() -> None:
    runs = made([(COMPLETED, 0.3, None), (DIVERGED, 0.001, None), (COMPLETED, 0.2, None)])
    found = summary(runs).metric
    assert isinstance(found, Spread)
    assert (found.lowest, found.median, found.highest) == (0.2, 0.3, math.inf)


def test_a_run_that_solved_and_then_diverged_counts_as_both() -> None:
    found = summary(made([(DIVERGED, 0.1, 40)]))
    assert found.outcomes[DIVERGED] == found.solved
    assert isinstance(found.steps_to_solve, TimesToReach)
    assert found.steps_to_solve.median == 40


def test_where_all_runs_diverged_the_metric_says_so() -> None:
    runs = made([(DIVERGED, 0.1, None)] * 3)
    assert summary(runs).metric == NotEstimable("all 3 runs diverged")
    assert summary(runs[:1]).metric == NotEstimable("the run diverged")


def test_a_metric_that_was_not_recorded_is_not_guessed() -> None:
    runs = [*made([(COMPLETED, 0.1, None)]), record(seed=9, scores={})]
    assert summary(runs).metric == NotEstimable("1 of 2 runs hold no test metric")


def test_without_results_nothing_is_estimable() -> None:
    found = summary([record(Outcome.FAILED)])
    assert found.num_runs == 0
    assert found.solved == found.metric == found.steps_to_solve == NotEstimable("no runs")
    assert found.first_event is None


def test_the_commonest_first_event_has_the_median_of_its_own_steps() -> None:
    kinds = [EventKind.LOSS_NAN, EventKind.GRADIENT_INF, EventKind.GRADIENT_INF]
    runs = [
        record(DIVERGED, seed=seed, first_event=Event(kind, step, "weight"))
        for seed, (kind, step) in enumerate(zip(kinds, (900, 7, 3), strict=True))
    ]
    found = summary([*runs, record(seed=9)])
    assert found.first_event == CommonEvent(EventKind.GRADIENT_INF, 2, 3)


def test_chance_is_the_median_of_what_the_runs_state() -> None:
    runs = [
        record(seed=seed, facts={"chance_metric": level}) for seed, level in enumerate((1, 3, 2))
    ]
    assert summary(runs).chance == 2


def test_events_are_counted_whether_or_not_they_came_first() -> None:
    first = Event(EventKind.GRADIENT_INF, 5, "recurrent.weight")
    runs = [
        record(
            DIVERGED, seed=0, first_event=first, event_counts={"gradient_inf": 4, "loss_nan": 1}
        ),
        record(seed=1, first_event=replace(first, step=9), event_counts={"gradient_inf": 2}),
        record(seed=2),
    ]
    (cell,) = group(collect(stored(runs)))
    loss, gradient = event_rows(cell)
    assert (loss.kind, loss.num_runs, loss.num_first) == (EventKind.LOSS_NAN, 1, 0)
    assert loss.median_first_step is None
    assert (gradient.num_runs, gradient.num_first, gradient.median_updates) == (2, 2, 2)
    assert (gradient.median_first_step, gradient.commonest_tensor) == (5, "recurrent.weight")


@pytest.mark.parametrize("outcome", [COMPLETED, FROZEN])
def test_a_frozen_run_keeps_a_finite_metric_and_a_non_finite_one_is_worst(outcome: Outcome) -> None:
    kept = summary(made([(outcome, 0.4, None), (COMPLETED, 0.2, None)])).metric
    lost = summary(made([(outcome, math.nan, None), (COMPLETED, 0.2, None)])).metric
    assert isinstance(kept, Spread)
    assert isinstance(lost, Spread)
    assert (kept.highest, lost.highest) == (0.4, math.inf)
