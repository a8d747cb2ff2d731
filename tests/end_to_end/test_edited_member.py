"""Editing a mitigation runs that mitigation again, and nothing else."""

from __future__ import annotations

import shutil

import pytest

from bench.paths import CONF, PACKAGE
from tests.end_to_end.conftest import SMALL, stored


@pytest.fixture
def checkout(tmp_path):
    """A copy of the suite that may be edited, and the variable that puts it first."""
    folder = tmp_path / "checkout"
    shutil.copytree(PACKAGE, folder / "bench", ignore=shutil.ignore_patterns("__pycache__", "conf"))
    shutil.copytree(CONF, folder / "conf")
    return folder


def test_an_edited_mitigation_is_run_again_alone(bench, checkout, finished, tmp_path):
    """The runs were made by the suite that the checkout is a copy of: to both they are current."""
    ours = {"PYTHONPATH": str(checkout)}
    shutil.copytree(finished / "store", tmp_path / "store")
    before = stored(tmp_path / "store")

    with (checkout / "bench" / "mitigations" / "clip_norm.py").open("a") as file:
        file.write("\n# edited\n")
    run_id = next(run_id for run_id, row in before.items() if row[0] == "clip_norm")
    assert f"run {run_id} (stale" in bench("show", run_id, "store", variables=ours).stdout

    again = bench("run", *SMALL, variables=ours).stdout
    assert "2 of 4 runs done" in again
    assert "2 were current" in again
    after = stored(tmp_path / "store")
    for run_id, (mitigation, _, digest, stored_at) in after.items():
        old_digest, old_stored_at = before[run_id][2:]
        assert digest == old_digest
        assert (stored_at == old_stored_at) is (mitigation == "none")
