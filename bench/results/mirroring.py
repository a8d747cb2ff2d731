"""Starts the mirror to Weights & Biases and stops it, for the driver: without importing wandb.

The mirror is a process of its own that reads the store. Whatever becomes of it, the driver and its
results go on: nothing here raises but BadInput for a wrong mode, and nothing waits longer than
PATIENCE for a mirror that does not get on.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.records import BadInput
from bench.results.ledger import DISK_FULL, EXIT_DISK_FULL, Ledger, LedgerError, wandb_folder
from bench.results.mirror_target import Mode, Target, target
from bench.results.opening import refuse_packed
from bench.results.store import Store
from bench.results.tracebacks import without_credentials

PATIENCE = 1.0  # seconds without progress
_GLANCE = 0.02
_FAULTS = (OSError, sqlite3.Error, BadInput, LedgerError)


@dataclass(frozen=True)
class MirrorReport:
    """How many of the store's runs W&B has and lacks; `str` of it is one line for the screen."""

    mirrored: int
    missing: int
    problem: str | None  # what W&B or the store said last, if anything
    text: str

    def __str__(self) -> str:
        return self.text


class Mirror:
    """A mirror at work on the store in `folder`, or the reason why there is none."""

    def __init__(self, folder: Path, to: Target) -> None:
        self._folder, self._to = folder, to
        self._process: subprocess.Popen[bytes] | None = None
        self._notes = 0
        self._problem: str | None = None
        if to.mode is not None:
            try:
                self._notes = _num_notes(folder)
                self._process = _popen(folder, to, to.mode, follow=os.getpid())
            except _FAULTS as error:
                self._problem = f"no mirror: {_reason(error, folder)}"

    def finish(self) -> MirrorReport:
        """Waits while runs are being mirrored, then stops the mirror.

        Gives up after a second without progress; a hung mirror is left to end by itself.
        """
        process, ended = self._process, None
        if process is not None:
            try:
                _await_progress(process, self._folder, self._to, self._notes)
            except _FAULTS as error:
                self._problem = _reason(error, self._folder)
            ended = process.poll()
            process.terminate()
        return _report(self._folder, self._to, self._notes, self._problem, ended)


def start(folder: Path, mode: str | None = None) -> Mirror:
    """Mirrors the store in `folder`, which must be there, while this process fills it.

    `mode` is "offline" or "online" (by default what mirror_target.target finds). Raises BadInput
    for any other.
    """
    return Mirror(folder, target(mode))


def state(folder: Path, mode: str | None = None) -> MirrorReport:
    """What is mirrored by now; nothing is sent and nothing waited for.

    Raises BadInput for a wrong mode, and for that alone.
    """
    to = target(mode)
    try:
        return _report(folder, to, 0 if to.mode is None else _num_notes(folder))
    except LedgerError as error:
        return _report(folder, to, problem=str(error))


def sync(folder: Path, mode: str | None = None) -> MirrorReport:
    """Mirrors what is missing, however long it takes.

    Raises BadInput where `folder` holds no store, or a packed one, or its subfolder wandb cannot be
    written to.
    """
    to = target(mode)
    refuse_packed(str(folder), folder)
    Store(folder).close()
    if to.mode is None:
        return _report(folder, to)
    try:
        notes = _num_notes(folder)
        report = _report(folder, to, notes)
        if not report.missing:
            return report
        process = _popen(folder, to, to.mode)
    except (OSError, LedgerError) as error:
        raise BadInput(_reason(error, folder)) from error
    try:
        ended = process.wait()
    finally:
        process.terminate()
    return _report(folder, to, notes, ended=ended)


def _num_notes(folder: Path) -> int:
    with Ledger(folder) as ledger:
        return ledger.num_notes()


def _popen(
    folder: Path, to: Target, mode: Mode, follow: int | None = None
) -> subprocess.Popen[bytes]:
    # -P: what lies in the current folder, and may be called anything, is none of its modules.
    command = [sys.executable, "-P", "-m", "bench.results.wandb_mirror", str(folder)]
    command += ["--mode", mode, "--project", to.project]
    command += [] if follow is None else ["--follow", str(follow)]
    with (wandb_folder(folder) / "mirror.log").open("ab") as log:
        # In a session of its own, where ctrl-C in the driver's terminal does not reach it half way
        # through a run; and with no terminal to ask for an account.
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # Whenever it ends, and whoever still cares: no zombie is left.
    threading.Thread(target=process.wait, name="reap the mirror", daemon=True).start()
    return process


def _await_progress(process: subprocess.Popen[bytes], folder: Path, to: Target, notes: int) -> None:
    """Returns when nothing is missing, the mirror has ended, or a second brought nothing."""
    with Store(folder) as store:
        wanted = store.digests()
    with Ledger(folder) as ledger:
        seen, moved = (-1.0, -1.0), time.monotonic()
        while process.poll() is None and time.monotonic() - moved < PATIENCE:
            noted = ledger.num_notes()
            # Importing wandb takes a second or two and, offline, is progress. Once it is imported,
            # or where a network may be missing, runs alone are: a client in vain is busy too.
            importing = noted == notes and to.mode == "offline"
            busy = _cpu_seconds(process.pid) if importing else 0.0
            if (noted, busy) != seen:
                seen, moved = (noted, busy), time.monotonic()
                if not ledger.missing(wanted, to.key):
                    return
            time.sleep(_GLANCE)


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except (psutil.Error, OSError):  # it has ended, or there is no /proc
        return 0.0
    return times.user + times.system


def _report(
    folder: Path, to: Target, notes: int = 0, problem: str | None = None, ended: int | None = None
) -> MirrorReport:
    """`notes` is how many there were in the ledger before this mirror, `ended` its exit code."""
    total, missing = 0, 0
    problem = problem or to.reason
    try:
        with Store(folder) as store:
            digests = store.digests()
        total = missing = len(digests)
        if to.mode is not None:
            with Ledger(folder) as ledger:
                missing = len(ledger.missing(digests, to.key))
                problem = problem or ledger.last_problem(notes)
    except _FAULTS as error:
        problem = problem or _reason(error, folder)
    if missing and ended:
        problem = problem or _last_words(ended, wandb_folder(folder))
    problem = problem and without_credentials(problem)
    return MirrorReport(
        total - missing, missing, problem, _text(folder, to, total, missing, problem)
    )


def _last_words(ended: int, logs: Path) -> str:
    """Of a mirror that could note nothing in the ledger."""
    if ended == EXIT_DISK_FULL:
        return f"{logs}: {DISK_FULL}"
    how = f"was killed by signal {-ended}" if ended < 0 else f"ended with exit code {ended}"
    return f"the mirror {how}; see {logs / 'mirror.log'}"


def _text(folder: Path, to: Target, total: int, missing: int, problem: str | None) -> str:
    quoted, logs = shlex.quote(str(folder)), shlex.quote(str(wandb_folder(folder)))
    text = f"W&B ({to.mode or 'off'}): {total - missing} of {total} runs mirrored"
    if to.mode == "offline" and total > missing:
        text += f" into {logs}; upload them with: wandb sync {logs}/offline-run-*"
    if missing:
        text += f"; {missing} missing"
    text += f" ({problem})" if problem else ""
    if missing:
        text += f"; mirror them with: bench sync {quoted}"
        text += "" if to.mode else " --mode offline"
    return text


def _reason(error: Exception, folder: Path) -> str:
    return f"{wandb_folder(folder)}: {error.strerror}" if isinstance(error, OSError) else str(error)
