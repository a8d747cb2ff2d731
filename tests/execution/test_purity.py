"""The same specification gives the same record, whichever worker ran it and whatever ran before."""

from __future__ import annotations

from bench.execution.pool import Pool
from bench.execution.worker import TRAINING
from bench.records import Outcome
from tests.execution.planted import all_records
from tests.specs import exploding, spec

SPECS = [
    *(spec(architecture="lstm", optimizer="adam", seed=seed) for seed in range(2)),
    *(exploding(seed=seed, steps=40) for seed in range(3)),
    spec(task="digits", architecture="mlp", mitigation="orthogonal+clip_norm"),
    spec(mitigation="layer_norm", dtype="float64"),
]


def digests(specs, workers: int) -> dict[str, str]:
    with Pool(TRAINING, workers=workers, timeout=None) as pool:
        records = all_records(pool, specs)
    assert {record.outcome for record in records} == {Outcome.COMPLETED, Outcome.DIVERGED}
    return {record.spec.run_id: record.digest for record in records}


def test_order_and_number_of_workers_do_not_matter():
    one_after_another = digests(SPECS, workers=1)
    assert len(set(one_after_another.values())) == len(SPECS)
    assert digests(SPECS[::-1], workers=2) == one_after_another
