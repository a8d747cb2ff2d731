"""A worker lives as long as the batch, so nothing of a run may stay behind in it."""

from __future__ import annotations

from bench.execution.pool import Pool
from bench.execution.worker import TRAINING
from bench.planning.estimates import estimate
from tests.execution import planted
from tests.specs import spec

LENGTH, BATCH, HIDDEN, RUNS = 100, 128, 64, 30
STATES = 4 * LENGTH * BATCH * HIDDEN  # bytes of the hidden states of one pass, the least to be left
SLACK = 40e6
"""Bytes: well under what 30 runs would leave if each left its states alone (98 MB), and as much as
the estimate may be too low."""


def test_thirty_runs_take_no_more_memory_than_one():
    sizes = {
        "task_settings": {"length": LENGTH, "batch_size": BATCH, "evaluation_size": BATCH},
        "architecture_settings": {"hidden_size": HIDDEN},
    }
    names = ("rnn_tanh", "lstm", "gru")
    specs = [
        spec("adding", names[seed % 3], "clip_norm", "momentum", steps=2, seed=seed, **sizes)
        for seed in range(RUNS)
    ]
    with Pool(TRAINING, workers=1, timeout=None) as pool:
        records = planted.all_records(pool, specs)
    assert [record.error for record in records] == [None] * RUNS
    peaks = [record.peak_memory for record in records]
    assert RUNS * STATES > 2 * SLACK
    assert peaks[-1] - peaks[2] < SLACK  # from the run on that had the last of the three
    assert peaks[-1] < max(estimate(spec).bytes for spec in specs) + SLACK
