"""Runs that misbehave, as the name of the task says, or the variable PLANTED_SEED for a seed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.execution.pool import Pool
from bench.execution.worker import Work
from bench.records import MemberSpec, Outcome, RunRecord, RunSpec
from bench.results.currency import digests_of
from bench.results.schema import PROVENANCE_FIELDS


def spec(task: str, seed: int = 0, **settings: str) -> RunSpec:
    return RunSpec(
        task=MemberSpec(task, {"steps": 1, **settings}),
        architecture=MemberSpec("planted", {}),
        mitigation=(MemberSpec("none", {}),),
        optimizer=MemberSpec("planted", {}),
        seed=seed,
    )


def run(spec: RunSpec) -> RunRecord:
    if "flag" in spec.task.settings:
        Path(str(spec.task.settings["flag"])).write_text(str(os.getpid()))
    match os.environ.get(f"PLANTED_{spec.seed}", spec.task.name):
        case "kills its worker":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crashes its worker":
            os.abort()
        case "hangs":
            time.sleep(600)
        case "raises":
            raise ZeroDivisionError("planted")
        case "exits":
            sys.exit(3)
    curves = {
        "process": np.array([os.getpid()]),
        "threads": np.array([int(os.environ["OMP_NUM_THREADS"])]),
        "interrupts are blocked": np.array([signal.SIGINT in signal.pthread_sigmask(0, ())]),
    }
    return RunRecord(spec=spec, outcome=Outcome.COMPLETED, curves=curves)


def nothing() -> None: ...


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def provenance(spec: RunSpec) -> dict[str, Any]:
    return dict.fromkeys(PROVENANCE_FIELDS, "") | {"member_digests": digests_of(spec.members)}


WORK = Work(run=run, provenance=provenance, warm_up=nothing)


def all_records(pool: Pool, specs: Sequence[RunSpec]) -> list[RunRecord]:
    """What came of `specs` and of what was submitted before, in the order in which it came."""
    waiting, records = list(specs), []
    while waiting or pool.running:
        while waiting and pool.has_room:
            pool.submit(waiting.pop(0))
        if (answer := pool.next(0.2)) is not None:
            records.append(answer.record)
    return records


def wait_for(flag: Path) -> int:
    """The process that wrote `flag`."""
    deadline = time.monotonic() + 60
    while not (flag.exists() and flag.read_text()):
        assert time.monotonic() < deadline, f"nobody wrote {flag}"
        time.sleep(0.01)
    return int(flag.read_text())
