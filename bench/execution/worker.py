"""What happens inside a worker process: one thread, one run after another."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import plugins
from bench.machine import keep_freed_memory
from bench.records import BadInput, Outcome, RunRecord, RunSpec
from bench.results.tracebacks import clean_traceback

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Read by the numerical libraries when they load, so it must stand before a worker starts."""
NOT_FROM_HERE = {"PYTHONSAFEPATH": "1"}
"""Read by Python as it starts: a worker's modules are none of the current folder's files, whatever
these are called."""


@dataclass(frozen=True)
class Answer:
    """What a worker sends back."""

    record: RunRecord
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """What a worker does: functions that it can import by name."""

    run: Callable[[RunSpec], RunRecord]
    provenance: Callable[[RunSpec], Mapping[str, Any]]  # asked as the run starts
    warm_up: Callable[[], None]  # once, before the first run


class WorkerError(Exception):
    """The worker processes end before they have run anything."""


def initialise(work: Work, files: Sequence[Path]) -> None:
    """Called once in every new worker; `files` are the driver's plug-ins."""
    plugins.name_files(files)
    # A handler in Python would wait for the end of whatever is being computed.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_the_driver()
    # What goes wrong here goes wrong again in the first run, and is stored with its traceback.
    with contextlib.suppress(Exception):
        work.warm_up()


def answer(work: Work, spec: RunSpec) -> Answer:
    """The record of `spec`, whatever happens: a run that raises is a failed one."""
    provenance: Mapping[str, Any] = {}
    try:
        provenance = work.provenance(spec)
        record = work.run(spec)
        _ = record.digest  # what cannot be stored fails here, where only its run fails
        return Answer(record, provenance)
    except BaseException as error:
        inside = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        told = traceback.format_exception(inside)
        if isinstance(error, BadInput):  # which says all there is to say in one line
            told = [f"BadInput: {error}"]
        text = clean_traceback("".join(told).rstrip())
        return Answer(RunRecord(spec=spec, outcome=Outcome.FAILED, error=text), provenance)


def _end_with_the_driver() -> None:
    """A driver killed by SIGKILL stops nobody; its workers notice by themselves."""
    driver = multiprocessing.parent_process()

    def watch() -> None:
        if driver is not None:
            driver.join()
            os._exit(1)

    threading.Thread(target=watch, name="watch the driver", daemon=True).start()


def _train(spec: RunSpec) -> RunRecord:
    from bench.training.run import run

    return run(spec)


def _provenance(spec: RunSpec) -> Mapping[str, Any]:
    from bench.results.provenance import collect

    return collect(spec)


def _import_engine() -> None:
    """Load all that a run needs, so that no run's time limit pays for it."""
    import torch

    import bench.training.run  # noqa: F401

    keep_freed_memory()
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)


TRAINING = Work(run=_train, provenance=_provenance, warm_up=_import_engine)
