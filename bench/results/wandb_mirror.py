"""The mirror: a process that copies runs from the store to Weights & Biases, and nothing back.

    python -m bench.results.wandb_mirror DIR --mode offline|online [--project P] [--follow PID]

One W&B run a run, under the same id. A run that is sent again (its record changed, or a mirror died
before it noted that it was done) overwrites itself there: nothing is doubled.
"""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.records import BadInput
from bench.results.ledger import EXIT_DISK_FULL, DiskFullError, Ledger
from bench.results.mirror_loop import Driver, MirrorLoop, stop_on_signals, the_only_one
from bench.results.mirror_target import MODES, Target, target
from bench.results.store import Store
from bench.results.tracebacks import clean_traceback, without_credentials
from bench.results.wandb_sender import Sender


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is missing, or told to stop. 1: something is missing. 2: bad input. 3: disk full.

    What it says goes to a file that may be handed on, as do the complaints of wandb.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.results.wandb_mirror")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--project")
    parser.add_argument("--follow", type=int, metavar="PID", help="until this process is gone")
    options = parser.parse_args(arguments)
    sys.stdout = sys.stderr = _Discreet(sys.stderr.buffer, line_buffering=True)
    try:
        with Store(options.folder) as store:
            return _mirror(store, target(options.mode, options.project), options.follow)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except DiskFullError as error:
        print(error, file=sys.stderr)
        return EXIT_DISK_FULL
    except Exception:
        print(clean_traceback(traceback.format_exc()), file=sys.stderr)
        return 1


class _Discreet(io.TextIOWrapper):
    """Writes all that it is told but passwords; where there is no room, nothing."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(without_credentials(text))
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


def _mirror(store: Store, to: Target, follow: int | None) -> int:
    stop = stop_on_signals()
    driver = None if follow is None else Driver(follow)
    ledger = Ledger(store.folder)

    def keep_trying() -> bool:
        return driver is not None and driver.is_alive() and not stop.wait(0.2)

    with the_only_one(store.folder, keep_trying) as alone:
        if not alone:
            ledger.note_problem("another mirror of these results is at work")
            return 1
        try:
            sender = Sender(store.folder, to)
        except Exception as error:  # whatever an absent or broken installation raises
            ledger.note_problem(f"wandb cannot be used: {error}")
            raise
        ledger.note_step("wandb is imported")
        try:
            loop = MirrorLoop(store, ledger, to.key, sender.send, sender.obstacle, stop)
            complete = loop.run(driver)
        finally:
            sender.close()
    return 0 if complete or stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
