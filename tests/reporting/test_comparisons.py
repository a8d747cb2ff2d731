from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from bench.records import MemberSpec, Outcome, RunRecord
from bench.reporting.cells import Cell, group
from bench.reporting.collection import collect
from bench.reporting.comparison_tables import comparison_tables
from bench.reporting.comparisons import compare
from bench.reporting.formats import render
from bench.stats.estimates import NotEstimable
from tests.reporting.made_up import record, stored


def made(
    mitigation: str,
    seed: int,
    *,
    diverged: bool = False,
    metric: float = 0.1,
    solved_step: int | None = None,
    architecture: str = "rnn_tanh",
) -> RunRecord:
    outcome = Outcome.DIVERGED if diverged else Outcome.COMPLETED
    one = record(outcome, metric=metric, solved_step=solved_step)
    spec = replace(
        one.spec,
        seed=seed,
        architecture=MemberSpec(architecture, {"hidden_size": 8}),
        mitigation=(MemberSpec(mitigation, {}),),
    )
    return replace(one, spec=spec)


def cells(runs: list[RunRecord]) -> list[Cell]:
    return group(collect(stored(runs)))


def test_a_mitigation_that_saves_eight_of_ten_seeds() -> None:
    runs = [made("none", seed, diverged=seed < 8) for seed in range(10)]
    runs += [made("clip", seed, metric=0.05) for seed in range(10)]
    compared = compare(cells(runs))
    (pooled,), (cell,) = compared.pooled, compared.in_cells
    assert not isinstance(pooled.diverged, NotEstimable)
    assert not isinstance(cell.diverged, NotEstimable)
    assert pooled.diverged.effect == cell.diverged.difference == -0.8
    expected = binomtest(0, 8).pvalue
    assert pooled.diverged.p == pytest.approx(expected)
    assert cell.diverged.p == pytest.approx(expected)
    assert not isinstance(pooled.metric, NotEstimable)
    assert (pooled.metric.wins, pooled.metric.probability) == (10, 1.0)
    assert compared.pooled_families["diverged"].adjusted == (pytest.approx(expected),)


def test_a_seed_that_one_of_the_two_lacks_is_dropped_and_counted() -> None:
    runs = [made("none", seed) for seed in range(6)] + [made("clip", s) for s in range(2, 9)]
    (pooled,) = compare(cells(runs)).pooled
    assert not isinstance(pooled.diverged, NotEstimable)
    assert (pooled.diverged.num_pairs, pooled.diverged.num_dropped) == (4, 5)


def test_blocks_are_pooled_and_a_cell_without_its_control_compares_with_nothing() -> None:
    runs = []
    for architecture in ("rnn_tanh", "lstm"):
        runs += [made("none", s, architecture=architecture, solved_step=9) for s in range(5)]
        runs += [made("clip", s, architecture=architecture) for s in range(5)]
    runs += [made("clip", s, architecture="gru") for s in range(5)]
    compared = compare(cells(runs))
    (pooled,) = compared.pooled
    assert pooled.num_blocks == 2
    assert len(compared.in_cells) == 2
    assert not isinstance(pooled.solved, NotEstimable)
    assert pooled.solved.effect == -1.0
    # Ten pairs of five seeds: no more evidence than five.
    assert pooled.solved.p == pytest.approx(2 / 2**5)


def test_holm_counts_all_mitigations_of_the_report() -> None:
    rng = np.random.default_rng(0)
    runs = [made("none", seed, diverged=seed < 9) for seed in range(10)]
    for name in "abcd":
        runs += [made(name, seed, diverged=bool(rng.random() < 0.2)) for seed in range(10)]
    compared = compare(cells(runs))
    family = compared.pooled_families["diverged"]
    raw = [each.diverged.p for each in compared.pooled]  # type: ignore[union-attr]
    assert list(family.raw) == raw
    assert min(family.adjusted) == pytest.approx(min(1, 4 * min(raw)))  # type: ignore[type-var]


def test_the_tables_say_what_was_compared() -> None:
    runs = [made("none", seed, diverged=seed < 8) for seed in range(10)]
    runs += [made("clip", seed, metric=0.05) for seed in range(10)]
    pooled, by_cell = comparison_tables(compare(cells(runs)))
    assert pooled.lines[0][:3] == ["clip", "1", "10"]
    assert pooled.lines[0][3].startswith("-80 [-97, -")
    (row,) = csv.DictReader(io.StringIO(render(by_cell, "csv")))
    assert float(row["diverged_effect"]) == -0.8
    assert float(row["diverged_p"]) == pytest.approx(2**-7)
    assert comparison_tables(compare(cells([made("clip", 0)]))) == []
