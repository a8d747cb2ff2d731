"""What a small paper is made from: two lengths of a task, three methods, trials and a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.planning.seeds import Purpose, seeds_for
from bench.records import SEMANTICS_VERSION, RunRecord, RunSpec
from bench.reporting.paper.material import Material, material
from bench.results.currency import digests_of
from bench.results.schema import PROVENANCE_FIELDS
from bench.results.store import Store
from tests.reporting.made_up import COMPLETED, DIVERGED, Stored, record

LENGTHS, METHODS, SEEDS = (15, 30), ("none", "clip_norm", "orthogonal+clip_norm"), 8
CHOSEN, RATES = 0.01, (0.0001, 0.001, 0.01, 0.1, 1.0)
TRIALS, TRIAL_SEEDS, SWEEP_SEEDS = (0.01, 0.1), 2, 2

TELLS = {
    "suite_version": "0.1.0",
    "git_commit": "0123456789abcdef",
    "git_dirty": False,
    "torch": "2.13.0+cpu",
    "cpu_model": "Some_Processor 50%",
    "kernels": "avx2 (cc 12)",
    "started_at": "2026-01-02T03:04:05.678+00:00",
}


def a_run(
    length: int = 15, method: str = "none", seed: int = 0, lr: float = CHOSEN, **changes: Any
) -> RunRecord:
    """How it ends is up to its method and seed: clipping helps, and the starting weights more."""
    diverged = method == "none" and seed % 4 == 1
    solved = not diverged and (seed * 7 + length) % 8 < 2 + 3 * METHODS.index(method)
    made = record(
        DIVERGED if diverged or lr > 0.5 else COMPLETED,
        solved_step=100 + seed if solved and lr < 0.5 else None,
        metric=0.01 * (1 + (seed + 3 * METHODS.index(method)) % 5),
        task="temporal_order",
        mitigation=method,
        optimizer="momentum",
        seed=seed,
        settings={"temporal_order": {"length": length}, "momentum": {"lr": lr}},
    )
    seconds = 2.0 + METHODS.index(method)
    return replace(made, cpu_seconds=seconds * made.steps_done / made.spec.steps, **changes)


def runs(lengths: Sequence[int] = LENGTHS, num_seeds: int = SEEDS) -> list[RunRecord]:
    found = []
    for length in lengths:
        for method in METHODS:
            found += [
                a_run(length, method, seed) for seed in seeds_for(Purpose.EVALUATION, num_seeds)
            ]
            found += [
                a_run(length, method, seed, lr)
                for lr in TRIALS
                for seed in seeds_for(Purpose.TUNING, TRIAL_SEEDS)
            ]
            found += [
                a_run(length, method, seed, lr)
                for lr in RATES
                for seed in seeds_for(Purpose.SWEEP, SWEEP_SEEDS)
            ]
    return found


def told(spec: RunSpec) -> dict[str, Any]:
    """A provenance with which a store takes the run for current."""
    fields: dict[str, Any] = dict.fromkeys(PROVENANCE_FIELDS, "made up")
    return {**fields, **TELLS, "member_digests": digests_of(spec.members)}


def made(records: Iterable[RunRecord], name: str = "main", order: int = 0) -> Material:
    """As read from a store, in an order of its own."""
    stored = [
        Stored(one, "current" if one.outcome.is_result else "failed", TELLS, SEMANTICS_VERSION)
        for one in records
    ]
    shuffled = np.random.default_rng(order).permutation(len(stored))
    return material(name, [stored[index] for index in shuffled])


def store(folder: Path, records: Iterable[RunRecord]) -> Path:
    with Store.open(folder) as opened:
        for one in records:
            opened.put(one, told(one.spec) if one.outcome.is_result else {})
    return folder
