"""What the tests of the mirror look at: the store, the files kept here, the server."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from bench.records import RunRecord
from bench.results.ledger import Ledger
from bench.results.mirror_target import target
from bench.results.store import Store
from tests.results import made_up_runs as made_up
from tests.results.wandb_server import WandbServer


def put(folder: Path, record: RunRecord) -> None:
    with Store.open(folder) as store:
        result = record.outcome.is_result
        store.put(record, made_up.provenance(record.spec) if result else {})


def put_many(folder: Path, count: int) -> None:
    with Store.open(folder) as store:
        for seed in range(count):
            spec = made_up.spec(seed)
            store.put(made_up.record(spec, rows=40), made_up.provenance(spec))


def records(folder: Path) -> dict[str, RunRecord]:
    with Store(folder) as store:
        return {
            run.run_id: replace(
                run.record, curves=dict(run.record.curves), flow=dict(run.record.flow)
            )
            for run in store.rows()
        }


def offline_runs(folder: Path) -> list[str]:
    """The run ids of the offline files, with repetitions if there are any."""
    return sorted(path.name.split("-")[3] for path in (folder / "wandb").glob("offline-run-*"))


def mirrored_offline(folder: Path) -> list[str]:
    """The run ids of which the ledger says that they are."""
    ledger = Ledger(folder)
    try:
        return sorted(ledger.mirrored(target("offline").key))
    finally:
        ledger.close()


def assert_kept(server: WandbServer, stored: dict[str, RunRecord]) -> None:
    """The server has exactly these runs, and every number of them exactly once."""
    assert set(server.runs) == set(stored)
    for run_id, record in stored.items():
        kept, spec = server.runs[run_id], record.spec
        assert kept.group == spec.cell_id
        assert kept.name == f"adding/rnn_tanh/clip_norm/sgd seed {spec.seed}"
        config = {name: entry["value"] for name, entry in kept.config.items() if name != "_wandb"}
        assert config["task.length"] == 100
        assert config["optimizer.lr"] == 0.1
        assert config["mitigation.clip_norm.threshold"] == spec.mitigation[0].settings["threshold"]
        assert config["seed"] == spec.seed
        assert kept.exit_code == (0 if record.outcome.is_result else 1)
        assert [row["_step"] for row in kept.history] == list(range(len(kept.history)))
        assert len(kept.history) == len(record.curves.get("step", []))
        for name, column in record.curves.items():
            np.testing.assert_array_equal([row[name] for row in kept.history], column)
        assert kept.summary["outcome"] == record.outcome.value
        assert kept.summary["record_digest"] == record.digest
        assert kept.summary.get("solved_step") == record.solved_step
        for name, value in record.scores.items():
            expected = "NaN" if math.isnan(value) else value
            assert kept.summary[f"scores.{name}"] == expected
        event = record.first_event
        assert kept.summary.get("first_event.tensor") == (event.tensor if event else None)


def mirror_process(folder: Path) -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process().children()
        if "bench.results.wandb_mirror" in child.cmdline() and str(folder) in child.cmdline()
    ]
    return found


def have_python_begin_with(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python that is started from now on runs `code` before all else; a file in `folder`."""
    (folder / "first").mkdir()
    (folder / "first" / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder / "first"))


def wait_until(holds: Callable[[], bool]) -> None:
    """Within the time limit of the test."""
    while not holds():
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
