"""The built wheel runs `bench` from another folder, with no checkout at hand."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.paths import PACKAGE

ROOT = PACKAGE.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], check=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_its_configuration_and_nothing_else(wheel: Path) -> None:
    assert wheel.name.startswith("exploding_gradient_benchmark-")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "bench",
        "exploding_gradient_benchmark",
    }
    assert "bench/conf/config.yaml" in names
    assert "bench/conf/task/adding.yaml" in names
    assert "bench/tasks/data/persuasion.txt.gz" in names
    assert not [name for name in names if "__pycache__" in name]


def test_bench_runs_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    environment = os.environ | {"PYTHONPATH": str(site)}

    def bench(*arguments: str) -> str:
        # -P: the current folder stays off the path, as for the installed command.
        return subprocess.run(
            [sys.executable, "-P", "-m", "bench", *arguments],
            cwd=elsewhere,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    where = "import bench.paths; print(bench.paths.CONF)"
    conf = subprocess.run(
        [sys.executable, "-P", "-c", where],
        cwd=elsewhere,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert conf.strip() == str(site / "bench" / "conf")
    assert "adding" in bench("list", "tasks")
    small = ["steps=3", "seeds=2", "hidden_size=8", "length=10", "executor.workers=1"]
    bench("run", "task=adding", *small, "results=out")
    assert (elsewhere / "out" / "results.sqlite").exists()
