"""The mirror: a process that copies runs from the store to Weights & Biases, and nothing back.

    python -m bench.results.wandb_mirror DIR --mode offline|online [--project P] [--follow PID]

One W&B run a run, under the same id. A run that is sent again (its record changed, or a mirror died
before it noted that it was done) overwrites itself there: nothing is doubled. Nothing but this
module imports wandb.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.records import BadInput, RunSpec
from bench.results.flattening import flat_outcome, flat_spec
from bench.results.ledger import Ledger, wandb_folder
from bench.results.mirror_loop import Driver, MirrorLoop, stop_on_signals, the_only_one
from bench.results.mirror_target import MODES, Target, target
from bench.results.store import Store, StoredRun

REACH_SECONDS = 5.0  # for the server to answer at all
_USUALLY = {
    "WANDB_ERROR_REPORTING": "false",  # W&B is told of the runs, not of the mirror
    "WANDB_INIT_TIMEOUT": "30",  # seconds, as is the next; wandb's own are 90 and for ever
    "WANDB_FINISH_TIMEOUT": "60",
}
_NEVER = ("WANDB_RUN_ID", "WANDB_RESUME", "WANDB_SWEEP_ID")
"""Of these variables a run is what the store says it is; all others are honoured by wandb."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is missing, or told to stop. 1: something is missing. 2: bad input."""
    parser = argparse.ArgumentParser(prog="python -m bench.results.wandb_mirror")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--project")
    parser.add_argument("--follow", type=int, metavar="PID", help="until this process is gone")
    options = parser.parse_args(arguments)
    try:
        with Store(options.folder) as store:
            return _mirror(store, target(options.mode, options.project), options.follow)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2


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
            sender = _Sender(store.folder, to)
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


class _Sender:
    """Sends runs to W&B, from several threads at once."""

    def __init__(self, folder: Path, to: Target) -> None:
        for name, value in _USUALLY.items():
            os.environ.setdefault(name, value)
        for name in _NEVER:
            os.environ.pop(name, None)
        import wandb

        self._wandb, self._online = wandb, to.mode == "online"
        self._logs = wandb_folder(folder)
        # An online run's files serve nobody once it has arrived, and nobody if it has not: it is
        # sent again from the store.
        self._scratch = self._logs / "online"
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._earlier = _offline_runs(self._logs)
        root = self._scratch if self._online else folder
        root.mkdir(exist_ok=True)
        self._server = wandb.setup(settings=_settings(to, root)).settings.base_url

    def close(self) -> None:
        self._wandb.teardown()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def obstacle(self) -> str | None:
        """Why no run can be sent just now; found in seconds, where wandb tries for minutes."""
        if not self._online:
            return None
        try:
            urllib.request.urlopen(self._server, timeout=REACH_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError:
            return None  # an answer
        except OSError as error:
            cause = getattr(error, "reason", error)
            # wandb has certificates of its own.
            if not isinstance(cause, ssl.SSLError):
                return f"W&B at {self._server} does not answer: {cause}"
        return None

    def send(self, run: StoredRun) -> None:
        """Raises where the run did not arrive as a whole."""
        spec = run.record.spec
        there = self._wandb.init(
            id=run.run_id, group=run.cell_id, name=_name(spec), config=flat_spec(spec)
        )
        files = Path(there.dir).parent
        try:
            there.define_metric("step", hidden=True)
            there.define_metric("*", step_metric="step")
            for row in _history(run.record.curves):
                there.log(row)
            there.summary.update(_summary(run))
        finally:
            there.finish(exit_code=0 if run.record.outcome.is_result else 1)
        if self._online:
            _raise_if_incomplete(files)
            shutil.rmtree(files, ignore_errors=True)
        else:
            self._keep_only(run.run_id, files)

    def _keep_only(self, run_id: str, files: Path) -> None:
        """Of the offline files of a run, the last ones and what `wandb sync` needs of them."""
        for part in ("logs", "tmp"):
            shutil.rmtree(files / part, ignore_errors=True)
        for earlier in self._earlier.pop(run_id, []):
            shutil.rmtree(earlier, ignore_errors=True)
        self._earlier[run_id] = [files]


def _settings(to: Target, root: Path) -> Any:
    """A run as its numbers alone: nothing of the machine, the code or the console."""
    import wandb

    return wandb.Settings(
        mode=to.mode,
        project=to.project,
        root_dir=str(root.absolute()),
        use_dot_wandb=False,
        symlink=False,
        reinit="create_new",
        silent=True,
        console="off",
        program="bench",
        label_disable=True,
        sagemaker_disable=True,
        save_code=False,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        finish_timeout_raises=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )


def _name(spec: RunSpec) -> str:
    return f"{'/'.join(spec.names)} seed {spec.seed}"


def _history(curves: Mapping[str, np.ndarray]) -> Iterator[dict[str, float]]:
    """One row an evaluation; W&B counts the rows itself, `step` is a number like the others."""
    for row in zip(*(column.tolist() for column in curves.values()), strict=True):
        yield dict(zip(curves, row, strict=True))


def _summary(run: StoredRun) -> dict[str, Any]:
    flat = flat_outcome(run.record) | {"record_digest": run.record_digest}
    # wandb drops NaN from a summary; this is the text it writes for one in a history.
    return {
        name: "NaN" if isinstance(value, float) and math.isnan(value) else value
        for name, value in flat.items()
        if value is not None
    }


def _raise_if_incomplete(files: Path) -> None:
    """wandb prints a warning when it gives up on a run's data, and returns as if all were well."""
    log = files / "logs" / "debug-internal.log"
    for line in log.read_text(errors="replace").splitlines():
        if '"level":"ERROR+4"' in line:
            raise ConnectionError(json.loads(line)["msg"])


def _offline_runs(logs: Path) -> dict[str, list[Path]]:
    """Run id -> its folders, of earlier mirrors."""
    found: dict[str, list[Path]] = {}
    for path in logs.glob("offline-run-*-*"):
        found.setdefault(path.name.split("-")[3], []).append(path)
    return found


if __name__ == "__main__":
    sys.exit(main())
