"""The example package, installed into an environment that knows neither it nor this checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bench.paths import PACKAGE

ROOT = PACKAGE.parent
EXAMPLE = ROOT / "examples" / "gradient-centralisation"
NAME = "gradient_centralisation"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with both wheels. Their dependencies are lent by the environment
    of the tests, at the end of its path: downloading torch again would prove nothing."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    wheels = folder / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    for source in (ROOT, EXAMPLE):
        subprocess.run([*build, "--wheel-dir", str(wheels), str(source)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, *map(str, wheels.glob("*.whl"))], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    lent = sysconfig.get_paths()["purelib"]
    (site / "lent.pth").write_text(f"import sys; sys.path.append({lent!r})\n")
    return folder


def bench(environment: Path, where: Path, *arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(environment / "bin" / "bench"), *arguments],
        cwd=where,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_environment_has_neither_this_checkout_nor_an_editable_install(
    environment: Path, tmp_path: Path
) -> None:
    program = f"import bench, {NAME}; print(bench.__file__); print({NAME}.__file__)"
    told = subprocess.run(
        [str(environment / "bin" / "python"), "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert all(Path(file).is_relative_to(environment) for file in told)


def test_it_is_listed_checked_run_and_reported(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(bench(environment, tmp_path, "list", "mitigations", "--json"))
    (entry,) = [each for each in listed if each["name"] == NAME]
    assert entry["reference"].startswith("Yong")
    assert "centralised" in bench(environment, tmp_path, "list", "experiments")

    card = bench(environment, tmp_path, "check", "mitigation", NAME)
    assert "FAILED" not in card
    assert "may be compared" in card

    grid = ["experiment=centralised", "steps=20", "length=20", "seeds=1"]
    assert "8 of 8 runs done" in bench(environment, tmp_path, "run", *grid)
    bench(environment, tmp_path, "report", "results/centralised")
    report = (tmp_path / "results" / "centralised" / "report" / "report.md").read_text()
    assert f"{NAME}+clip_norm" in report


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        (["-k", "not battery"], "1 passed, 1 deselected"),  # `bench check` above is the battery
        pytest.param([], "2 passed", marks=pytest.mark.slow),
    ],
)
def test_its_own_tests_pass_there(
    environment: Path, tmp_path: Path, tests: list[str], told: str
) -> None:
    command = [str(environment / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(EXAMPLE / "tests"), "--rootdir", str(tmp_path), *tests],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout
