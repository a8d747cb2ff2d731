"""Sends runs to Weights & Biases. Nothing but this module imports wandb."""

from __future__ import annotations

import json
import math
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from bench.records import RunSpec
from bench.results.flattening import flat_outcome, flat_spec
from bench.results.ledger import wandb_folder
from bench.results.mirror_target import Target
from bench.results.offline_file import records
from bench.results.store import StoredRun

REACH_SECONDS = 5.0  # for the server to answer at all
FLUSH_SECONDS = 5.0  # for the file of an offline run to be written to its end
_USUALLY = {
    "WANDB_ERROR_REPORTING": "false",  # W&B is told of the runs, not of the mirror
    "WANDB_INIT_TIMEOUT": "30",  # seconds, as is the next; wandb's own are 90 and for ever
    "WANDB_FINISH_TIMEOUT": "60",
}
_NEVER = ("WANDB_MODE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_SWEEP_ID")
"""A run is what the store says it is; all other variables, unless empty, are honoured by wandb."""


class Sender:
    """Sends runs to W&B, from several threads at once."""

    def __init__(self, folder: Path, to: Target) -> None:
        for name in _unwanted():
            del os.environ[name]
        for name, value in _USUALLY.items():
            os.environ.setdefault(name, value)
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
        self._server = urlsplit(wandb.setup(settings=_settings(to, root)).settings.base_url)

    def close(self) -> None:
        self._wandb.teardown()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def obstacle(self) -> str | None:
        """Why no run can be sent just now; found in seconds, where wandb tries for minutes."""
        if not self._online:
            return None
        # urllib takes the user before the host for a part of its name.
        address = self._server._replace(netloc=self._server.netloc.rpartition("@")[2]).geturl()
        try:
            urllib.request.urlopen(address, timeout=REACH_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError:
            return None  # an answer
        except OSError as error:
            cause = getattr(error, "reason", error)
            # wandb has certificates of its own.
            if not isinstance(cause, ssl.SSLError):
                return f"W&B at {address} does not answer: {cause}"
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
            _raise_unless_whole(files)
            self._keep_only(run.run_id, files)

    def _keep_only(self, run_id: str, files: Path) -> None:
        """Of the offline files of a run, the last ones and what `wandb sync` needs of them."""
        for part in ("logs", "tmp"):
            shutil.rmtree(files / part, ignore_errors=True)
        for earlier in self._earlier.pop(run_id, []):
            shutil.rmtree(earlier, ignore_errors=True)
        self._earlier[run_id] = [files]


def _unwanted() -> list[str]:
    return [
        name
        for name, value in os.environ.items()
        if name in _NEVER or (name.startswith("WANDB_") and not value)
    ]


def _settings(to: Target, root: Path) -> Any:
    """A run as its numbers alone: nothing of the machine, the code or the console."""
    import wandb

    assert to.mode is not None
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


def _raise_unless_whole(files: Path) -> None:
    """Nor does it tell of a full disk. It goes on writing for a moment after it has returned."""
    deadline = time.monotonic() + FLUSH_SECONDS
    while not is_whole(next(files.glob("*.wandb"))):
        if time.monotonic() > deadline:
            shutil.rmtree(files, ignore_errors=True)  # or it would be uploaded as if it were whole
            raise OSError("its offline file is not whole; is the disk full?")
        time.sleep(0.005)


def is_whole(file: Path) -> bool:
    """Whether an offline run's file goes up to the last it is to hold: how the run ended."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    try:
        *_, last = records(file)
    except ValueError:
        return False
    return bool(Record.FromString(last).WhichOneof("record_type") == "exit")


def _offline_runs(logs: Path) -> dict[str, list[Path]]:
    """Run id -> its folders, of earlier mirrors."""
    found: dict[str, list[Path]] = {}
    for path in logs.glob("offline-run-*-*"):
        found.setdefault(path.name.split("-")[3], []).append(path)
    return found
