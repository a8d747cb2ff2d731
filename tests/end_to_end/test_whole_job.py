"""Every command, from an empty folder to a report."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pandas as pd
import pytest

from tests.end_to_end.conftest import SMALL, connect, stored

HEAVY = {"torch", "pebble", "scipy", "pandas", "matplotlib", "wandb"}


@pytest.fixture
def store(tmp_path, finished):
    """A complete store in the current folder."""
    return shutil.copytree(finished / "store", tmp_path / "store")


def test_from_nothing_to_a_report(bench, tmp_path):
    first = bench("run", *SMALL)
    assert first.stdout.startswith("4 runs to do, 1 at a time\n")
    assert "4 of 4 runs done" in first.stdout
    assert first.stdout.rstrip().endswith("next: bench report store")
    assert first.stderr == ""
    runs = stored(tmp_path / "store")
    assert len(runs) == 4
    assert {outcome for _, outcome, _, _ in runs.values()} == {"completed"}

    second = bench("run", *SMALL)
    assert second.stdout.startswith("0 of 4 runs to do, all current in store")
    assert stored(tmp_path / "store") == runs

    shown = bench("show", next(iter(runs))[:8], "store").stdout
    assert "completed: all 20 updates" in shown
    assert "gradient norm" in shown

    bench("export", "store")
    for name in ("runs", "curves", "flow"):
        table = pd.read_parquet(f"store/export/{name}.parquet")
        assert set(table["run_id"]) == set(runs)

    report = bench("report", "store").stdout
    assert "0/2 diverged" in report
    for name in ("report.md", "tables/outcomes.csv", "tables/outcomes.tex", "figures/outcomes.pdf"):
        assert (tmp_path / "store" / "report" / name).stat().st_size > 0

    assert "4 current" in bench("doctor", "store").stdout
    assert len(bench("list", "tasks").stdout.splitlines()) >= 5


def test_a_run_is_found_in_the_default_stores(bench, store, tmp_path):
    (tmp_path / "results").mkdir()
    store.rename(tmp_path / "results" / "default")
    run_id = next(iter(stored(tmp_path / "results" / "default")))
    assert f"run {run_id}" in bench("show", run_id).stdout
    assert bench("show", "zz", expect=2).stderr.startswith("bench: run zz: there is none")


def test_light_commands_import_nothing_heavy(bench):
    for arguments in (["--help"], ["list", "mitigations", "--json"], ["list", "experiments"]):
        assert not imported(bench, *arguments) & (HEAVY | {"hydra", "rich"})


def test_a_complete_store_is_answered_without_torch_and_without_a_pool(bench, store):
    assert not imported(bench, "run", *SMALL) & HEAVY


def imported(bench, *arguments: str) -> set[str]:
    log = bench(*arguments, variables={"PYTHONPROFILEIMPORTTIME": "1"}).stderr
    names = {line.rpartition("|")[2].strip() for line in log.splitlines()}
    assert "bench.cli" in names
    return names


def test_a_damaged_store_is_told(bench, store):
    with closing(connect(store)) as connection, connection:
        connection.execute("UPDATE runs SET solved_step = 7 WHERE seed = 1 AND mitigation = 'none'")
    done = bench("doctor", "store", expect=1)
    assert "record_digest" in done.stdout
    assert done.stderr == ""


def test_runs_are_mirrored_offline_and_not_twice(bench, store):
    first = bench("sync", "store", "--mode", "offline").stdout
    assert "4 of 4 runs mirrored" in first
    folders = sorted((store / "wandb").glob("offline-run-*"))
    assert len(folders) == 4
    bench("sync", "store", "--mode", "offline")
    assert sorted((store / "wandb").glob("offline-run-*")) == folders
    again = bench("run", *SMALL, "logger=wandb", "logger.mode=offline").stdout
    assert "0 of 4 runs to do" in again
    assert "wandb sync store/wandb/offline-run-*" in again


def test_the_list_as_json(bench):
    found = {entry["name"]: entry for entry in json.loads(bench("list", "tasks", "--json").stdout)}
    assert found["adding"]["summary"].startswith("The adding problem")
