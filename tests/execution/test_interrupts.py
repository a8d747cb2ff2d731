from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bench.execution.interrupts import no_interrupts, watch_for_interrupts


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted_and_breaks_into_nothing(number, code):
    handler = signal.getsignal(number)
    with watch_for_interrupts() as interrupt:
        assert not interrupt
        os.kill(os.getpid(), number)
        assert interrupt
        assert (interrupt.exit_code, interrupt.name) == (code, number.name)
    assert signal.getsignal(number) is handler


def test_the_second_signal_ends_the_process_and_its_children_at_once():
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert done.stdout == "noted\n"
    assert done.stderr == ""


TWICE = """
import multiprocessing, os, signal, time
from bench.execution.interrupts import watch_for_interrupts

if __name__ == "__main__":
    with watch_for_interrupts():
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
        child.start()
        os.kill(os.getpid(), signal.SIGINT)
        print("noted", flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        print("still here", flush=True)
"""


def test_a_process_started_without_interrupts_does_not_see_one():
    code = (
        "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    )  # a shell's background jobs are started with the signal ignored
    with no_interrupts():
        deaf = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    usual = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (deaf.returncode, deaf.stdout, deaf.stderr) == (0, "goes on\n", "")
    assert usual.returncode != 0
