"""What stands on the screen, from a tally that is moved by hand."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.execution import progress as module
from bench.execution.progress import LiveDisplay, PlainLines, progress
from bench.execution.tally import Tally
from bench.records import Outcome, RunRecord
from tests.execution import planted


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def done(tally: Tally, outcome: Outcome = Outcome.COMPLETED) -> None:
    tally.add(RunRecord(spec=planted.spec("any"), outcome=outcome), 1.0)


def test_thousands_of_runs_are_told_in_twenty_lines(clock):
    tally, stream = Tally(total=5000, total_weight=5000.0, workers=2), io.StringIO()
    with PlainLines(tally, Console(file=stream)) as lines:
        for _ in range(5000):
            clock.now += 0.1
            done(tally)
            lines.refresh()
    printed = stream.getvalue().splitlines()
    assert len(printed) in (20, 21)
    assert printed[0].startswith("250 of 5000 runs (diverged 0, frozen 0, completed 250;")
    assert printed[0].endswith("0:25 elapsed, about 7:55 left")
    assert printed[-1].endswith("8:20 elapsed")


def test_a_long_run_is_no_silence(clock):
    tally, stream = Tally(total=2, total_weight=2.0, workers=1), io.StringIO()
    with PlainLines(tally, Console(file=stream)) as lines:
        for _ in range(600):
            clock.now += 0.2
            lines.refresh()
        assert len(stream.getvalue().splitlines()) == 4  # in two minutes


def test_quick_runs_do_not_flood(clock):
    tally, stream = Tally(total=100, total_weight=100.0, workers=1), io.StringIO()
    with PlainLines(tally, Console(file=stream)) as lines:
        for _ in range(100):
            clock.now += 0.01
            done(tally)
            lines.refresh()
    assert len(stream.getvalue().splitlines()) == 1


def test_the_live_display_shows_counts_and_times(clock):
    tally, stream = Tally(total=10, total_weight=10.0, workers=1), io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False)
    with LiveDisplay(tally, console):
        clock.now += 10
        for outcome in (Outcome.DIVERGED, Outcome.FROZEN, Outcome.FAILED, Outcome.TIMEOUT):
            done(tally, outcome)
    text = stream.getvalue()
    for words in ("4 of 10 runs", "0:10 elapsed, about 0:15 left", "diverged 1", "timeout 1"):
        assert words in text
    assert "interrupted" not in text


def test_a_terminal_gets_the_live_display():
    tally = Tally(total=1, total_weight=1.0, workers=1)
    assert isinstance(progress(tally, Console(force_terminal=True)), LiveDisplay)
    assert isinstance(progress(tally, Console(file=io.StringIO())), PlainLines)
