"""Stopping: the first ctrl-C or SIGTERM ends the batch in good order, the second at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SHOW_CURSOR = b"\x1b[?25h"


@dataclass
class Interrupt:
    """The signal that asked to stop, once one has."""

    signal_number: int | None = None

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM, as shells count."""
        return 128 + (self.signal_number or 0)

    @property
    def name(self) -> str:
        return signal.Signals(self.signal_number or 0).name

    def __bool__(self) -> bool:
        return self.signal_number is not None


@contextmanager
def watch_for_interrupts() -> Iterator[Interrupt]:
    """Signals are noted, to be looked at between two runs: none breaks into a transaction."""
    interrupt = Interrupt()

    def note(number: int, _frame: FrameType | None) -> None:
        if interrupt:
            _end_at_once(interrupt.exit_code)
        interrupt.signal_number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Threads and processes started herein never see ctrl-C, which a terminal sends to all of its
    processes: it is for the first of them to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_at_once(exit_code: int) -> None:
    for child in multiprocessing.active_children():
        child.kill()
    if sys.stdout.isatty():  # a live display hides it
        os.write(sys.stdout.fileno(), SHOW_CURSOR)
    os._exit(exit_code)
