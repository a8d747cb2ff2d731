"""What one sees while a batch runs: a live display on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.execution.tally import Tally, clock
from bench.records import Outcome

SECONDS_BETWEEN_LINES = 30.0
SHORTEST_PAUSE = 2.0
SHARE_BETWEEN_LINES = 0.05

COLOURS = {
    Outcome.DIVERGED: "red",
    Outcome.FROZEN: "cyan",
    Outcome.COMPLETED: "green",
    Outcome.FAILED: "bold red",
    Outcome.TIMEOUT: "bold red",
}


class Progress(Protocol):
    """A context manager that is told whenever the tally may have changed."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def refresh(self) -> None: ...


def progress(tally: Tally, console: Console) -> Progress:
    return LiveDisplay(tally, console) if console.is_terminal else PlainLines(tally, console)


class PlainLines:
    """A line for every twentieth of the work, but at least twice a minute and not every second."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally, self._console = tally, console

    def __enter__(self) -> Self:
        self._started = self._last = time.monotonic()
        self._last_share = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self._print(time.monotonic())

    def refresh(self) -> None:
        now = time.monotonic()
        pause = now - self._last
        has_moved = self._tally.share - self._last_share >= SHARE_BETWEEN_LINES
        if pause >= SECONDS_BETWEEN_LINES or (has_moved and pause >= SHORTEST_PAUSE):
            self._print(now)

    def _print(self, now: float) -> None:
        tally = self._tally
        self._last, self._last_share = now, tally.share
        line = f"{_done(tally)} ({tally.counts()}), {_times(tally, now - self._started)}"
        self._console.print(line, highlight=False, soft_wrap=True)


class LiveDisplay:
    """Two lines that are drawn anew four times a second."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        self._started = time.monotonic()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def refresh(self) -> None:
        """The display's own thread draws it."""

    def _render(self) -> Group:
        tally = self._tally
        line = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=1.0, completed=tally.share, width=30)
        line.add_row(bar, _done(tally), _times(tally, time.monotonic() - self._started))
        return Group(line, self._counts())

    def _counts(self) -> Text:
        tally = self._tally
        words = Text()
        for outcome in Outcome:
            number = tally.outcomes[outcome]
            if outcome in (Outcome.TIMEOUT, Outcome.INTERRUPTED) and not number:
                continue
            if outcome is Outcome.FAILED:
                words.append(f"solved {tally.solved}   ", "bold" if tally.solved else "dim")
            words.append(f"{outcome} {number}   ", COLOURS.get(outcome, "") if number else "dim")
        return words


def _done(tally: Tally) -> str:
    return f"{tally.done} of {tally.total} runs"


def _times(tally: Tally, elapsed: float) -> str:
    passed, left = f"{clock(elapsed)} elapsed", tally.seconds_left(elapsed)
    # Nothing left although not all is done: the estimates were too low, so say nothing.
    return f"{passed}, about {clock(left)} left" if left >= 1 else passed
