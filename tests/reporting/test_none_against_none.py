"""`none` against `none`, from stored runs to the tables of a report: no difference is found.

Seeds are halved at random, and the halves compared pair by pair as if they were methods. Given the
runs, whatever these are, each halving finds a difference with a probability of at most 0.05: the
halves would change places as likely as not. So the number of halvings that find one is at most
binomial, and the bounds below are exceeded with a probability of at most 1e-5 each.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from scipy.stats import binom

from bench.paths import PACKAGE
from bench.records import MemberSpec, Outcome, RunRecord
from bench.reporting.analysis import analyse
from bench.reporting.comparison_tables import comparison_tables
from bench.reporting.formats import render
from bench.results.provenance import collect
from bench.results.store import Store
from bench.seeding import Stream
from bench.training.run import run
from tests import specs
from tests.reporting.made_up import stored

OUTCOMES = ("diverged", "solved", "metric")
ALLOWANCE = 1e-5
Seed: TypeAlias = list[RunRecord]  # one seed's runs in all blocks


def most_alarms(num_splits: int, nominal: float) -> int:
    """Reached or exceeded with a probability below ALLOWANCE."""
    return int(binom.isf(ALLOWANCE, num_splits, nominal)) + 1


class Renamed:
    """Seeds under other names and numbers. Their ids are computed once: hashes take longer than all
    else."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self.seeds = seeds
        self._known: dict[tuple[int, str, int], Seed] = {}

    def get(self, index: int, method: str, number: int) -> Seed:
        key = (index, method, number)
        if key not in self._known:
            self._known[key] = [self._renamed(run, method, number) for run in self.seeds[index]]
        return self._known[key]

    @staticmethod
    def _renamed(record: RunRecord, method: str, number: int) -> RunRecord:
        spec = replace(record.spec, mitigation=(MemberSpec(method, {}),), seed=number)
        return replace(record, spec=spec)


def report_on(
    renamed: Renamed, order: Sequence[int], methods: Sequence[str]
) -> tuple[list[dict[str, str]], ...]:
    """The lines of the tables pooled and cell by cell, where the first seeds in `order` are those
    of the first method, and so on; the first ones of all form a pair, and the second ones. Seeds
    that are left over are in no report."""
    num_pairs = len(order) // len(methods)
    runs = [
        record
        for place, index in enumerate(order[: num_pairs * len(methods)])
        for record in renamed.get(index, methods[place // num_pairs], place % num_pairs)
    ]
    tables = comparison_tables(analyse(stored(runs)).compared)
    return tuple(list(csv.DictReader(io.StringIO(render(table, "csv")))) for table in tables)


def smallest(lines: Iterable[dict[str, str]], column: str) -> float:
    return min(float(line[column] or 1) for line in lines)


def alarms_in_random_splits(
    seeds: Sequence[Seed], methods: Sequence[str], num_splits: int
) -> Counter[tuple[str, str]]:
    """(outcome, family) -> the splits in which it holds a p of 0.05 or less."""
    stream = Stream("random splits of none", len(seeds), seed=0)
    renamed = Renamed(seeds)
    found: Counter[tuple[str, str]] = Counter()
    for _ in range(num_splits):
        order = stream.permutation(len(seeds)).tolist()
        pooled, by_cell = report_on(renamed, order, methods)
        for outcome in OUTCOMES:
            column = f"{outcome}_p_adjusted"
            found[outcome, "Holm"] += smallest(pooled, column) <= 0.05
            found[outcome, "BH"] += smallest(by_cell, column) <= 0.05
    return found


def check_random_splits(seeds: Sequence[Seed], methods: Sequence[str], num_splits: int) -> None:
    """False alarms: below 6e-5, whatever the runs.

    Holm's family errs at most at 0.05 whatever the dependence. So does Benjamini and Hochberg's,
    where nothing differs, times the harmonic number of its cells (Benjamini and Yekutieli 2001).
    """
    num_cells = len(seeds[0]) * (len(methods) - 1)
    harmonic = sum(1 / number for number in range(1, num_cells + 1))
    for (outcome, way), count in alarms_in_random_splits(seeds, methods, num_splits).items():
        nominal = 0.05 * (harmonic if way == "BH" else 1)
        assert count < most_alarms(num_splits, nominal), (outcome, way, count)


def check_that_a_difference_is_found(seeds: Sequence[Seed], outcome: str, worth: Any) -> None:
    """The same runs, sorted by `worth` instead of at random."""
    order = sorted(range(len(seeds)), key=lambda index: worth(seeds[index]))
    pooled, _ = report_on(Renamed(seeds), order, ("none", "none again"))
    assert smallest(pooled, f"{outcome}_p_adjusted") < 0.01


def num_diverged(seed: Seed) -> int:
    return sum(record.outcome is Outcome.DIVERGED for record in seed)


def num_solved(seed: Seed) -> int:
    return sum(record.solved_step is not None for record in seed)


@pytest.fixture(scope="module")
def made_up_seeds(tmp_path_factory) -> list[Seed]:
    """32 seeds of equal methods, written to a store and read from it; a seed's luck is nearly the
    same in its three blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGE.parent / "scripts")
        script = importlib.import_module("calibration_parts.none_against_none")
    folder = tmp_path_factory.mktemp("store")
    script.store_runs(folder, script.made_up_runs(script.World(0.9, 8), 0))
    return read(folder)


def read(folder: Path) -> list[Seed]:
    """The runs of each method and seed; all of them count."""
    seeds: dict[tuple[str, int], Seed] = defaultdict(list)
    with Store(folder) as store:
        for found in store.rows():
            spec = found.record.spec
            assert found.status == ("current" if found.record.outcome.is_result else "failed")
            seeds[spec.mitigation_name, spec.seed].append(found.record)
    return [seeds[key] for key in sorted(seeds)]


def test_made_up_runs_split_at_random(made_up_seeds) -> None:
    """A family of two methods, of ten seeds each; false alarms below 6e-5."""
    assert len(made_up_seeds) == 32
    check_random_splits(made_up_seeds, ("none", "a", "b"), num_splits=110)


def test_made_up_runs_sorted_by_their_ends_differ(made_up_seeds) -> None:
    check_that_a_difference_is_found(made_up_seeds, "diverged", num_diverged)
    check_that_a_difference_is_found(made_up_seeds, "solved", num_solved)


REAL_SEEDS = (*range(30), *range(1000, 1030))


def real_runs(seed: int) -> Iterator[RunRecord]:
    """Most runs of the first block solve; of the others about a third and a half diverge."""
    for task, architecture, length, width, gain, lr, steps in (
        ("temporal_order", "rnn_tanh", 12, 8, 1.5, 0.03, 300),
        ("adding", "rnn_tanh", 15, 16, 1.5, 0.11, 200),
        ("adding", "rnn_relu", 15, 16, 1.7, 0.01, 150),
    ):
        yield run(
            specs.spec(
                task,
                architecture,
                optimizer="momentum",
                steps=steps,
                seed=seed,
                task_settings={"length": length, "batch_size": 16, "evaluation_size": 200},
                architecture_settings={"hidden_size": width, "gain": gain, "kind": "gaussian"},
                optimizer_settings={"lr": lr},
            )
        )


@pytest.fixture(scope="module")
def real_seeds(tmp_path_factory) -> list[Seed]:
    """Trained now, as `bench run` would: 60 seeds of `none` in three blocks, about 45 seconds."""
    folder = tmp_path_factory.mktemp("store")
    with Store.open(folder) as store:
        for seed in REAL_SEEDS:
            for record in real_runs(seed):
                store.put(record, collect(record.spec))
    return read(folder)


@pytest.mark.slow
def test_real_runs_of_none_on_disjoint_seeds(real_seeds) -> None:
    """Seeds 0 to 29 against 1000 to 1029: 12 p, each below its bound with a probability of at most
    1e-5 / 12."""
    assert [seed[0].spec.seed for seed in real_seeds] == list(REAL_SEEDS)
    order = range(len(real_seeds))
    pooled, by_cell = report_on(Renamed(real_seeds), order, ("none", "none again"))
    assert (len(pooled), len(by_cell)) == (1, 3)
    for outcome in OUTCOMES:
        assert smallest([*pooled, *by_cell], f"{outcome}_p") > ALLOWANCE / 12


@pytest.mark.slow
def test_real_runs_split_at_random(real_seeds) -> None:
    """False alarms below 6e-5."""
    diverged = [num_diverged(seed) > 0 for seed in real_seeds]
    solved = [num_solved(seed) > 0 for seed in real_seeds]
    assert 10 <= sum(diverged) <= 50
    assert 10 <= sum(solved) <= 50
    check_random_splits(real_seeds, ("none", "none again"), num_splits=300)


@pytest.mark.slow
def test_real_runs_sorted_by_their_ends_differ(real_seeds) -> None:
    check_that_a_difference_is_found(real_seeds, "diverged", num_diverged)
    check_that_a_difference_is_found(real_seeds, "solved", num_solved)
