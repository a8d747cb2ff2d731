"""Which batch comes when: every variant of the generated tasks, and whole runs of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench import discovery
from bench.records import Outcome
from bench.seeding import Stream
from bench.tasks import Batch, GeneratedTask
from bench.tasks._lengths import random_length
from bench.training.run import run
from tests.specs import member, spec

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *(("adding", {"variant": v}) for v in ("arjovsky", "tcn", "pascanu13", "hs97")),
    *(("multiplication", {"variant": v}) for v in ("pascanu13", "hs97")),
    *(("temporal_order", {"variant": v}) for v in ("pascanu13", "hs97")),
    *(("temporal_order_3bit", {"variant": v}) for v in ("pascanu13", "hs97")),
    *(("copy_memory", {"variant": v}) for v in ("arjovsky", "exprnn", "scalar", "variable")),
    *(("parity", {"running": v}) for v in (False, True)),
    ("random_permutation", {}),
    ("noiseless_memorisation", {}),
    ("denoise", {}),
]
OF_RANDOM_LENGTH = [
    (name, chosen)
    for name, chosen in VARIANTS
    if chosen.get("variant") == "hs97"
    or (name in ("adding", "multiplication") and chosen["variant"] == "pascanu13")
]
each_variant = pytest.mark.parametrize(("name", "chosen"), VARIANTS)
each_of_random_length = pytest.mark.parametrize(("name", "chosen"), OF_RANDOM_LENGTH)


def build(name: str, chosen: dict[str, Any], **others: Any) -> GeneratedTask:
    built: GeneratedTask = discovery.build("task", member("task", name, **chosen, **others))
    return built


def bits(batch: Batch) -> tuple[bytes, ...]:
    return tuple(part.tobytes() for part in (batch.inputs, batch.targets))


@each_variant
def test_a_batch_is_the_same_whatever_was_drawn_before(name: str, chosen: dict[str, Any]) -> None:
    wanted = [(1, 0), (2, 0), (16, 0), (17, 0), (40, 3)]
    task = build(name, chosen)
    forwards = [bits(task.training_batch(*key)) for key in wanted]
    task = build(name, chosen, steps=7)
    task.evaluation_batch("test", 0)
    backwards = [bits(task.training_batch(*key)) for key in reversed(wanted)]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == len(wanted)


@each_variant
def test_the_parts_are_streams_of_their_own(name: str, chosen: dict[str, Any]) -> None:
    """Sequences long enough that two alike are an accident of less than 1 in 1e5."""
    task = build(name, chosen, length=60)
    batches = [task.training_batch(step, 0) for step in (1, 2, 17)]
    for seed in (0, 1):
        batches += [task.evaluation_batch(part, seed) for part in ("validation", "test")]
    examples = [example.tobytes() for batch in batches for example in batch.inputs.swapaxes(0, 1)]
    assert len(set(examples)) == len(examples)


@each_of_random_length
def test_lengths_are_drawn_batch_by_batch(name: str, chosen: dict[str, Any]) -> None:
    """Even over [T, 1.1 T) at T = 100, one batch's independent of the next one's."""
    task = build(name, chosen, length=100, batch_size=1)
    assert task.varies_in_length
    lengths = [len(task.training_batch(step, 0).inputs) for step in range(1, 601)]
    counts = Counter(lengths)
    assert set(counts) == set(range(100, 110))
    assert stats.chisquare(list(counts.values())).pvalue > 1e-5
    # As long as its predecessor is one batch in ten: 4.5 standard errors of 599.
    repeats = np.mean([one == other for one, other in pairwise(lengths)])
    assert abs(repeats - 0.1) < 4.5 * np.sqrt(0.1 * 0.9 / 599)


@each_variant
def test_other_lengths_are_fixed(name: str, chosen: dict[str, Any]) -> None:
    if (name, chosen) not in OF_RANDOM_LENGTH:
        task = build(name, chosen)
        assert not task.varies_in_length
        assert len({task.training_batch(step, 0).inputs.shape for step in range(1, 20)}) == 1


@pytest.mark.parametrize(
    ("length", "longest"), [(1, 1), (9, 9), (10, 10), (11, 12), (15, 16), (20, 21), (100, 109)]
)
def test_a_random_length_is_below_eleven_tenths(length: int, longest: int) -> None:
    stream = Stream("test of lengths", seed=length)
    found = {random_length(stream, length) for _ in range(400)}
    assert found == set(range(length, longest + 1))
    assert 10 * longest < 11 * length <= 10 * (longest + 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_variant
def test_networks_train_on_it(name: str, chosen: dict[str, Any], dtype: str) -> None:
    """Batches of several lengths in one run; the record names the metric of the variant."""
    fields: dict[str, Any] = {"steps": 12, "dtype": dtype, "evaluations": 3}
    record = run(spec(task=name, architecture="lstm", task_settings=chosen, **fields))
    assert record.outcome == Outcome.COMPLETED
    built = build(name, chosen)
    assert record.facts["metric"] == built.metric_name
    assert record.scores["test_metric"] >= 0
    assert record.scores["test_loss"] < built.explosion_bound / 10


BITS_OF_THE_DEFAULTS = {
    "adding": "dfa1f12f33160f2c 8c0b0aebaae5a273",
    "temporal_order": "81d83156fbaf8b87 a98ffb8cfc5fe9d0",
    "copy_memory": "dc274403f0d26968 e88ce0936447e7c1",
}
"""Digests of inputs and of targets, taken before there were variants."""


@pytest.mark.parametrize("name", BITS_OF_THE_DEFAULTS)
def test_the_default_variants_give_the_bits_that_they_always_gave(name: str) -> None:
    settings = {"length": 100, "batch_size": 32, "evaluation_size": 100}
    task = build(name, {}, **settings)
    batches = [task.training_batch(step, 3) for step in (1, 2, 16, 17, 40)]
    batches += [task.evaluation_batch(part, 3) for part in ("validation", "test")]
    found = [
        digest(np.concatenate([getattr(batch, part).ravel() for batch in batches]))
        for part in ("inputs", "targets")
    ]
    assert " ".join(found) == BITS_OF_THE_DEFAULTS[name]


def digest(array: np.ndarray) -> str:
    label = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(label + array.tobytes()).hexdigest()[:16]
