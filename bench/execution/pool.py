"""Worker processes that live as long as the batch, and survive the death of one of them.

Pebble's pool does the work: it names the run whose worker died, replaces the worker, and enforces
time limits. When a worker dies between two runs and no other is busy, it gives up all that was
asked of it; such a pool is replaced here, and what it had not finished goes to the next one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TimeLimitReached
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

from pebble import ProcessExpired, ProcessPool

from bench import plugins
from bench.execution.interrupts import no_interrupts
from bench.execution.worker import (
    NOT_FROM_HERE,
    ONE_THREAD,
    Answer,
    Work,
    WorkerError,
    answer,
    initialise,
)
from bench.paths import PACKAGE
from bench.records import Outcome, RunRecord, RunSpec
from bench.results.tracebacks import clean_traceback

MOST_REPLACEMENTS = 3
"""In a row, with no run finished in between: then something is wrong with the machine."""


@dataclass(frozen=True)
class _Submitted:
    spec: RunSpec
    pool: ProcessPool
    future: Future[Answer]


class Pool:
    """Runs specifications in `workers` processes, each for at most `timeout` seconds.

    A context manager for one thread, which submits while there is room and takes what comes next.
    On leaving, what still runs is stopped and lost.
    """

    def __init__(self, work: Work, *, workers: int, timeout: float | None) -> None:
        self._work, self._workers, self._timeout = work, workers, timeout
        self._finished: SimpleQueue[_Submitted] = SimpleQueue()
        self._replacements = 0
        self._on_leaving = ExitStack()
        self.running: dict[str, RunSpec] = {}  # by run id; submitted, that is, and not finished

    def __enter__(self) -> Self:
        self._on_leaving.enter_context(_environment(ONE_THREAD | NOT_FROM_HERE))
        _leave_out_current_folder()
        _start_tracker()
        self._pool = self._new_pool()
        return self

    def __exit__(self, *_: object) -> None:
        _stop(self._pool)
        self._on_leaving.close()

    @property
    def has_room(self) -> bool:
        """For every busy worker one run waits, so that none is ever idle."""
        return len(self.running) < 2 * self._workers

    def submit(self, spec: RunSpec) -> None:
        """Raises WorkerError."""
        self.running[spec.run_id] = spec
        future = None
        while future is None:
            pool = self._pool
            try:
                with no_interrupts():
                    future = pool.schedule(answer, args=[self._work, spec], timeout=self._timeout)
            except RuntimeError:  # Pebble's word for a pool that has given up
                self._replace(pool)
        submitted = _Submitted(spec, pool, future)
        future.add_done_callback(lambda _: self._finished.put(submitted))

    def next(self, patience: float) -> Answer | None:
        """The next run to finish, or None when none has within `patience` seconds.

        Raises WorkerError.
        """
        try:
            done = self._finished.get(timeout=patience)
        except Empty:
            return None
        error = done.future.exception()
        if isinstance(error, BrokenProcessPool):
            self._replace(done.pool)
            self.submit(done.spec)
            return None
        self._replacements = 0
        del self.running[done.spec.run_id]
        return done.future.result() if error is None else self._answer_for(done.spec, error)

    def _answer_for(self, spec: RunSpec, error: BaseException) -> Answer:
        """The record of a run whose worker could not give one."""
        if isinstance(error, TimeLimitReached) and self._timeout is not None:
            text = f"stopped at the time limit of {self._timeout:g} s (executor.timeout)"
            limit = RunRecord(spec=spec, outcome=Outcome.TIMEOUT, error=text, seconds=self._timeout)
            return Answer(limit, {})
        text = _last_words(error) if isinstance(error, ProcessExpired) else repr(error)
        text = clean_traceback(text)
        return Answer(RunRecord(spec=spec, outcome=Outcome.FAILED, error=text), {})

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._workers,
            initializer=initialise,
            initargs=[self._work, plugins.files()],
            context=multiprocessing.get_context("spawn"),
        )

    def _replace(self, broken: ProcessPool) -> None:
        if broken is not self._pool:  # another run it had given up came here first
            return
        _stop(broken)
        self._replacements += 1
        if self._replacements > MOST_REPLACEMENTS:
            raise WorkerError(
                f"the workers died {self._replacements} times before they had run anything; "
                "see what this machine lacks with: bench doctor"
            )
        self._pool = self._new_pool()


def _last_words(error: ProcessExpired) -> str:
    code = error.exitcode
    if code >= 0:
        return f"the worker process ended with exit code {code} in the middle of this run"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
    hint = "; out of memory?" if -code == signal.SIGKILL else ""
    return f"the worker process was killed by signal {-code} ({name}) during this run{hint}"


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _leave_out_current_folder() -> None:
    """`python -m bench` looks for modules there first, and what a driver looks through its workers
    inherit. A checkout that is not installed is found in no other way."""
    started = getattr(sys.modules["__main__"], "__spec__", None)
    is_command = started is not None and started.name == "bench.__main__"
    if is_command and not sys.flags.safe_path and Path(sys.path[0]) != PACKAGE.parent:
        del sys.path[0]


def _start_tracker() -> None:
    """multiprocessing's own process that tidies up after a driver that could not.

    It would be started with the first worker, and in passing unblock SIGINT. That it had to tidy up
    after a second ctrl-C is not worth its warning.
    """
    with _environment({"PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker"}):
        resource_tracker.ensure_running()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
