"""A store under a running grid: deleted, and wanted by a second grid."""

from __future__ import annotations

import shutil

from bench.results.checking import check
from tests.end_to_end.conftest import stored
from tests.end_to_end.test_stopping import BATCH, current, under_way


def test_a_folder_deleted_under_a_grid_is_told_and_its_runs_are_kept(bench, tmp_path):
    folder = tmp_path / "store"
    with under_way(folder) as driver:
        before = stored(folder)
        shutil.rmtree(folder)
        _, errors = driver.communicate(timeout=60)
    assert driver.returncode == 1
    (line,) = errors.splitlines()
    assert line.startswith("bench: results=store: the store was deleted or moved while runs were")
    assert check(folder).findings == ()
    kept = stored(folder)
    assert {run_id: kept.get(run_id) for run_id in before} == before
    assert current(folder) == set(kept)


def test_a_second_grid_on_one_store_is_refused_and_readers_are_not(bench, tmp_path):
    # Long enough for another command to start meanwhile; the driver is killed at the end.
    more = ("steps=4000", "executor.workers=1")
    with under_way(tmp_path / "store", *more, num_stored=1) as driver:
        refused = bench("run", *BATCH, expect=2)
        assert refused.stdout == ""
        (line,) = refused.stderr.splitlines()
        assert line.startswith(
            f"bench: results=store: another bench run (process {driver.pid}) is at work on it"
        )
        run_id = next(iter(stored(tmp_path / "store")))
        assert run_id in bench("show", run_id, "store").stdout
        bench("run", *BATCH, "--dry-run")
