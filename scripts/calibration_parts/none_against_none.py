"""`none` under other names and on other seeds: stored runs in, the tables of a report out.

No method differs from the baseline, so whatever the tables call a difference is a false alarm. Each
(method, seed) has luck of its own, part of which all its blocks share: as where one set of runs of
`none` is compared with others on disjoint seeds, pair by pair.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from bench.records import MemberSpec, Outcome, RunRecord, RunSpec
from bench.reporting.analysis import analyse
from bench.reporting.collection import StoredRun
from bench.reporting.comparison_tables import comparison_tables
from bench.reporting.formats import render
from bench.results.currency import digests_of
from bench.results.schema import PROVENANCE_FIELDS
from bench.results.store import Store
from bench.seeding import Stream
from calibration_parts.tables import Report, is_too_many, table

METHODS = ("none", "clip_norm", "layer_norm", "orthogonal")  # names alone: all are `none`
OUTCOMES = ("diverged", "solved", "metric")
LOST = 0.02  # of the runs have no result
BUDGET = 1000
MEMORY = "/dev/shm"  # noqa: S108  where there is one: a store waits for the disk at every run


@dataclass(frozen=True)
class Block:
    task: str
    architecture: str
    diverges: float  # the chance of it
    solves: float
    higher_is_better: bool


BLOCKS = (
    Block("adding", "rnn_tanh", 0.5, 0.3, higher_is_better=False),
    Block("temporal_order", "rnn_tanh", 0.2, 0.6, higher_is_better=True),
    Block("temporal_order", "lstm", 0.03, 0.9, higher_is_better=True),
)


@dataclass(frozen=True)
class World:
    of_seed: float  # correlation between blocks within a seed
    num_seeds: int


WORLDS = (World(0.0, 10), World(0.5, 10), World(0.9, 10), World(0.9, 20))


def through_the_pipeline(quick: bool) -> Report:
    num_reports = 12 if quick else 300
    rows, broken = [], []
    for world in WORLDS[2:3] if quick else WORLDS:
        alarms = Counter(
            alarm for replicate in range(num_reports) for alarm in _alarms(world, replicate)
        )
        shares = [
            " / ".join(
                f"{100 * alarms[outcome, way] / num_reports:.1f}" for way in ("raw", "Holm", "BH")
            )
            for outcome in OUTCOMES
        ]
        rows.append([world.of_seed, world.num_seeds, *shares])
        broken += [
            f"{outcome}, {way}, {world}"
            for (outcome, way), count in alarms.items()
            if way != "raw" and is_too_many(count, num_reports, 0.05)
        ]
    heading = ["correlation between blocks within a seed", "seeds", "diverged", "solved", "better"]
    note = (
        f"Reports with at least one difference at 0.05, in percent of {num_reports}: over the "
        f"{len(METHODS) - 1} methods by raw p / by Holm's; cell by cell, of "
        f"{len(BLOCKS) * (len(METHODS) - 1)} cells, by Benjamini and Hochberg's."
    )
    return Report(f"{note}\n\n{table(heading, rows)}", tuple(broken))


def _alarms(world: World, replicate: int) -> set[tuple[str, str]]:
    with tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None) as folder:
        store_runs(Path(folder), made_up_runs(world, replicate))
        with Store(folder) as store:
            return alarms_in_report(store.rows())


def store_runs(folder: Path, records: Iterable[RunRecord]) -> None:
    with Store.open(folder) as store:
        for record in records:
            digests = digests_of(record.spec.members)
            store.put(record, dict.fromkeys(PROVENANCE_FIELDS) | {"member_digests": digests})


def alarms_in_report(runs: Iterable[StoredRun]) -> set[tuple[str, str]]:
    """(outcome, way to count p) where a table holds a p of 0.05 or less."""
    pooled, by_cell = (
        list(csv.DictReader(io.StringIO(render(each, "csv"))))
        for each in comparison_tables(analyse(runs).compared)
    )
    looked_at = (
        ("raw", pooled, "p"),
        ("Holm", pooled, "p_adjusted"),
        ("BH", by_cell, "p_adjusted"),
    )
    return {
        (outcome, way)
        for outcome in OUTCOMES
        for way, lines, column in looked_at
        if any(float(line[f"{outcome}_{column}"] or 1) <= 0.05 for line in lines)
    }


def made_up_runs(world: World, replicate: int) -> Iterator[RunRecord]:
    """Every block by every method by every seed, as `bench run` would store them."""
    shape = (2, len(BLOCKS), len(METHODS), world.num_seeds)
    stream = Stream("none against none", str(world.of_seed), world.num_seeds, seed=replicate)
    luck = np.sqrt(world.of_seed) * stream.normal((2, 1, *shape[2:]))
    luck = ndtr(luck + np.sqrt(1 - world.of_seed) * stream.normal(shape))
    lost = stream.uniform(shape[1:]) < LOST
    for where in np.ndindex(shape[1:]):
        block, method, seed = where
        spec = _spec(BLOCKS[block], METHODS[method], seed)
        if lost[where]:
            yield RunRecord(spec=spec, outcome=Outcome.FAILED, error="lost")
        else:
            yield _result(BLOCKS[block], spec, *luck[:, *where])


def _spec(block: Block, method: str, seed: int) -> RunSpec:
    return RunSpec(
        task=MemberSpec(block.task, {"length": 100, "steps": BUDGET}),
        architecture=MemberSpec(block.architecture, {"hidden_size": 64}),
        mitigation=(MemberSpec(method, {}),),
        optimizer=MemberSpec("sgd", {"lr": 0.1}),
        seed=seed,
    )


def _result(block: Block, spec: RunSpec, survival: float, skill: float) -> RunRecord:
    """A run may solve and diverge later; metrics have one decimal, so many are equal."""
    diverged = survival < block.diverges
    metric = np.round(skill if block.higher_is_better else 1 - skill, 1)
    return RunRecord(
        spec=spec,
        outcome=Outcome.DIVERGED if diverged else Outcome.COMPLETED,
        steps_done=BUDGET // 2 if diverged else BUDGET,
        solved_step=BUDGET // 3 if skill > 1 - block.solves else None,
        scores={"test_metric": np.nan if diverged else float(metric)},
        facts={"metric": "made up", "higher_is_better": block.higher_is_better},
    )
