"""Keeps a mirror up to date with a store: what is sent when, and when it is given up."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

import psutil

from bench.results.ledger import Ledger, wandb_folder
from bench.results.store import Store, StoredRun

POLL = 0.2  # seconds between two looks at the store
LONGEST_PAUSE = 30.0  # seconds between two attempts while nothing can be sent
IN_FLIGHT = 4  # runs under way at once: most of a run is waiting for W&B's own process
FAILURES_IN_A_ROW = 3  # one run may be at fault; three are W&B or the network
GRACE = 20.0  # seconds for the runs in hand once told to stop

_Work: TypeAlias = tuple[str, str]  # run id, record digest


class Driver:
    """The process that fills the store; a later one with the same number is not it."""

    def __init__(self, pid: int) -> None:
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None

    def is_alive(self) -> bool:
        if self._process is None or not self._process.is_running():
            return False
        try:
            return bool(self._process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def stop_on_signals() -> threading.Event:
    """Set by SIGTERM and SIGINT. What hangs in spite of it ends after GRACE."""
    stop = threading.Event()

    def told_to_stop(*_: object) -> None:
        stop.set()
        timer = threading.Timer(GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    return stop


@contextmanager
def the_only_one(folder: Path, keep_trying: Callable[[], bool]) -> Iterator[bool]:
    """Whether this process is the one mirror of `folder`; the lock ends with the process."""
    with (wandb_folder(folder) / "mirror.lock").open("a") as file:
        while not (locked := _lock(file)) and keep_trying():
            pass
        yield locked


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass
class MirrorLoop:
    """Sends every run of the store that the ledger has not under `key`.

    `send` is called in threads, and raises where a run did not arrive; `obstacle` says what keeps
    runs from being sent at all, if anything does.
    """

    store: Store
    ledger: Ledger
    key: str
    send: Callable[[StoredRun], None]
    obstacle: Callable[[], str | None]
    stop: threading.Event
    _failed: set[_Work] = field(default_factory=set)  # not tried again by this process
    _in_a_row: int = 0
    _last_problem: str = ""

    def run(self, driver: Driver | None) -> bool:
        """Goes on until `driver` is gone, or told to stop; True where nothing is missing then.

        Without a driver it passes over the store once.
        """
        pause, seen = POLL, -1
        while not self.stop.is_set():
            # Looked at before the store, so that what the driver put last is seen.
            is_last = driver is None or not driver.is_alive()
            version = self.store.data_version()
            if is_last or version != seen or pause > POLL:
                got_through = self._pass()
                seen, pause = version, POLL if got_through else min(2 * pause + 1, LONGEST_PAUSE)
            if is_last:
                break
            self.stop.wait(pause)
        return not self._missing()

    def _pass(self) -> bool:
        """Sends what is missing; False where it was broken off."""
        waiting = deque(work for work in self._missing() if work not in self._failed)
        if not waiting:
            return True
        if obstacle := self.obstacle():
            self._note_problem(obstacle)
            return False
        return self._send_all(waiting)

    def _missing(self) -> list[_Work]:
        digests = self.store.digests()
        return [(run_id, digests[run_id]) for run_id in self.ledger.missing(digests, self.key)]

    def _send_all(self, waiting: deque[_Work]) -> bool:
        under_way: dict[Future[None], _Work] = {}
        failed: set[_Work] = set()
        self._in_a_row = 0
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            while waiting or under_way:
                while waiting and len(under_way) < IN_FLIGHT:
                    work = waiting.popleft()
                    run = self.store.get(work[0])
                    # Read here and now: the store belongs to this thread.
                    run.record.curves.get("step")
                    under_way[pool.submit(self.send, run)] = (run.run_id, run.record_digest)
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    work = under_way.pop(future)
                    if not self._arrived(work, future):
                        failed.add(work)
                if self.stop.is_set() or self._in_a_row >= FAILURES_IN_A_ROW:
                    waiting.clear()
        if self._in_a_row >= FAILURES_IN_A_ROW:
            return False
        self._failed |= failed
        return True

    def _arrived(self, work: _Work, future: Future[None]) -> bool:
        run_id, digest = work
        if error := future.exception():
            self._in_a_row += 1
            self._note_problem(f"run {run_id}: {type(error).__name__}: {error}")
            return False
        self._in_a_row = 0
        self.ledger.add(run_id, self.key, digest)
        return True

    def _note_problem(self, text: str) -> None:
        line = " ".join(text.split())
        print(line, file=sys.stderr, flush=True)
        if line != self._last_problem:
            self.ledger.note_problem(line)
        self._last_problem = line
