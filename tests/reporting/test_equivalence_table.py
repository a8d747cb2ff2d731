from __future__ import annotations

import csv
import io
from typing import Any

from bench.records import Outcome, RunRecord
from bench.reporting.cells import Cell, group
from bench.reporting.collection import collect
from bench.reporting.equivalence_table import MARGIN, equivalence_table
from bench.reporting.formats import render
from bench.reporting.tables import Table
from bench.stats.equivalence_families import fewest_seeds
from tests.reporting.made_up import record, stored


def runs(
    mitigation: str, seeds: int, *, solved: int = 0, diverged: int = 0, **of_spec: Any
) -> list[RunRecord]:
    return [
        record(
            Outcome.DIVERGED if seed >= seeds - diverged else Outcome.COMPLETED,
            solved_step=80 if seed < solved else None,
            seed=seed,
            mitigation=mitigation,
            **of_spec,
        )
        for seed in range(seeds)
    ]


def cells(records: list[RunRecord]) -> list[Cell]:
    return group(collect(stored(records)))


def made(records: list[RunRecord]) -> Table:
    table = equivalence_table(cells(records))
    assert table is not None
    return table


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv"))))


def test_that_no_difference_was_seen_is_undecided_until_the_seeds_suffice() -> None:
    fewest = fewest_seeds(MARGIN)
    for seeds, verdict in ((fewest - 1, "undecided"), (fewest, "equivalent")):
        alike = runs("none", seeds, solved=5) + runs("clip_norm", seeds, solved=5)
        table = made(alike)
        (line,) = table.lines
        assert line[:3] == ["clip_norm", "1", str(seeds)]
        assert (line[4], line[6]) == (verdict, verdict)
        assert line[3].startswith("+0 [-")
        assert f"with fewer than {fewest} seeds" in table.caption


def test_a_large_difference_is_different_and_the_other_outcome_has_its_own_verdict() -> None:
    records = runs("none", 40, diverged=40) + runs("clip_norm", 40, solved=0)
    (row,) = read(made(records))
    assert (row["solved_verdict"], row["diverged_verdict"]) == ("equivalent", "different")
    assert float(row["diverged_estimate"]) == -1.0
    assert float(row["diverged_low"]) == -1.0
    assert float(row["diverged_high"]) < -MARGIN == -float(row["margin"])
    assert float(row["diverged_p_different"]) <= 0.05 < float(row["diverged_p_equivalent"])


def test_more_mitigations_ask_for_more_seeds() -> None:
    seeds = fewest_seeds(MARGIN)
    records = [one for name in ("none", "l2", "omega") for one in runs(name, seeds)]
    table = made(records)
    assert [line[0] for line in table.lines] == ["l2", "omega"]
    assert {line[4] for line in table.lines} == {"undecided"}
    assert f"fewer than {fewest_seeds(MARGIN, 2)} seeds" in table.caption


def test_more_blocks_are_not_more_seeds() -> None:
    seeds = fewest_seeds(MARGIN) - 2
    records = [
        one
        for architecture in ("rnn_tanh", "lstm", "gru")
        for name in ("none", "l2")
        for one in runs(name, seeds, architecture=architecture)
    ]
    ((name, num_blocks, num_seeds, _, verdict, *_),) = made(records).lines
    assert (name, num_blocks, num_seeds, verdict) == ("l2", "3", str(seeds), "undecided")


def test_without_shared_seeds_the_reason_stands_where_the_verdict_would() -> None:
    late = [record(seed=seed, mitigation="l2") for seed in range(50, 55)]
    table = made(runs("none", 5) + late)
    assert table.lines[0][3:5] == ["not estimable", "not estimable (no pairs)"]
    (row,) = read(table)
    assert (row["solved_estimate"], row["solved_verdict"]) == ("", "not estimable (no pairs)")


def test_without_a_control_there_is_no_table() -> None:
    assert equivalence_table(cells(runs("l2", 3))) is None
    assert equivalence_table(cells(runs("none", 3))) is None


def test_no_cell_says_that_there_is_no_difference() -> None:
    table = made(runs("none", 16) + runs("l2", 16))
    for suffix in ("md", "csv"):
        assert "no difference" not in render(table, suffix)
