from __future__ import annotations

import importlib.metadata
import os
import pwd
import shutil
from pathlib import Path

import pytest

from bench import datasets
from bench.execution import doctor
from bench.kernels import levels
from bench.records import BadInput


def test_a_data_set_that_is_missing_is_told_with_what_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "DEBIAN", tmp_path)
    found = topics(tmp_path)["fashion-mnist"]
    assert found.remedy == "apt-get install dataset-fashion-mnist"
    assert "not found" in found.state
    assert not found.is_fatal


def topics(results) -> dict[str, doctor.Finding]:
    return {finding.topic: finding for finding in doctor.examine(results)}


def test_this_machine_can_run_the_suite(tmp_path):
    found = topics(tmp_path / "not yet there")
    assert not [finding for finding in found.values() if finding.is_fatal]
    assert "torch 2" in found["packages"].state
    assert not (tmp_path / "not yet there").exists()


def test_a_missing_package_is_named_with_what_mends_it(tmp_path, monkeypatch):
    version = importlib.metadata.version

    def without_hydra(name: str) -> str:
        if name == "hydra-core":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without_hydra)
    (missing,) = [finding for finding in doctor._packages() if finding.is_fatal]
    assert doctor.in_words(missing).startswith("MISSING")
    assert "pip install 'hydra-core" in missing.remedy


def test_what_is_optional_is_told_and_not_fatal(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = topics(tmp_path)
    assert found["LaTeX"].remedy.startswith("apt-get install")
    assert not found["LaTeX"].is_fatal


def test_no_compiler_is_told_with_what_it_costs(tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "why_torch", lambda: "no C compiler (cc, gcc or clang)")
    found = topics(tmp_path)["C compiler"]
    assert found.state == "no C compiler (cc, gcc or clang)"
    assert "slower" in found.remedy
    assert not found.is_fatal


def test_credentials_are_told_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "f00" * 13 + "b")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    finding = topics(tmp_path)["wandb"]
    assert "online" in finding.state
    assert "f00" not in doctor.in_words(finding)
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("NETRC", str(tmp_path / "absent"))
    assert "wandb login" in topics(tmp_path)["wandb"].remedy


@pytest.mark.parametrize("mode", ["disabled", "shared", "onlin"])
def test_a_mode_that_mirrors_nothing_is_told_and_not_fatal(monkeypatch, mode):
    monkeypatch.setenv("WANDB_MODE", mode)
    finding = doctor._wandb()
    assert f"WANDB_MODE={mode}: must be one of offline, online" in finding.state
    assert finding.remedy.startswith("unset WANDB_MODE")
    assert not finding.is_fatal


def test_a_current_folder_that_was_removed_is_told(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    found = topics(Path("results"))
    assert found["folder"].is_fatal
    assert [finding for finding in found.values() if finding.is_fatal] == [found["folder"]]


def test_a_user_without_name_or_home_may_ask(tmp_path, monkeypatch):
    def nameless(uid):
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    for name in ("HOME", "USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    assert not [finding for finding in topics(tmp_path).values() if finding.is_fatal]


def test_memory_that_is_not_known_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "available_memory", lambda: None)
    assert doctor._memory().state == "how much is free is not known"
    monkeypatch.setattr(doctor, "available_memory", lambda: 3 * 2**29)
    assert doctor._memory().state == "1.5 GiB can be had"


def test_a_folder_that_may_not_be_looked_into_is_fatal(tmp_path, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    assert doctor._folder(tmp_path / "closed" / "results").is_fatal


@pytest.mark.parametrize("name", ["a file", "closed"])
def test_results_that_cannot_be_written_to_are_fatal(tmp_path, monkeypatch, name):
    (tmp_path / "a file").touch()
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "closed")
    assert doctor._folder(tmp_path / name).is_fatal
    assert not doctor._folder(tmp_path / "open").is_fatal


def test_a_store_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"results\.sqlite"):
        list(doctor.examine_store(tmp_path))
