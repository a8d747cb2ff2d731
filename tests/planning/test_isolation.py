"""Planning runs no code, looks at nothing but conf/ and the members' files, and loads no torch."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import omegaconf.base
import pytest
from hydra.core.global_hydra import GlobalHydra

from bench.planning import composing, plan
from bench.planning.overrides import Overrides
from bench.records import BadInput


def python(code: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_plan_its_estimates_and_its_words_load_neither_torch_nor_wandb(tmp_path):
    code = """
import sys
from bench.planning import describe, estimate, plan
planned = plan(["experiment=smoke"])
estimate(planned.runs[0]), planned.describe(), planned.config_text, describe.text()
print(sorted({"torch", "wandb", "pandas", "sklearn", "matplotlib"} & set(sys.modules)))
"""
    assert python(code, tmp_path) == "[]"


def test_nothing_in_the_current_directory_is_read_or_run(tmp_path):
    trap = "import pathlib; pathlib.Path('trap_was_run').touch()\n"
    for file in (
        "hydra_plugins/__init__.py",
        "hydra_plugins/trap/__init__.py",
        "hydra_plugins/example.py",
        "conf/__init__.py",
        "sitecustom.py",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(trap)
    (tmp_path / "conf" / "config.yaml").write_text("seeds: 77\n")
    (tmp_path / "config.yaml").write_text("seeds: 77\n")
    before = sorted(tmp_path.rglob("*"))
    code = "from bench.planning import plan; print(len(plan(['task=adding']).runs))"
    assert python(code, tmp_path) == "5"
    assert sorted(tmp_path.rglob("*")) == before


def test_what_imports_hydra_plugins_later_still_finds_them():
    assert "hydra_plugins" not in sys.modules
    plan(["task=adding"])
    assert "hydra_plugins" not in sys.modules


def test_hydras_global_state_is_left_clear(conf):
    composing.compose(Overrides(grid={"task": ["adding"]}), conf)
    assert not GlobalHydra.instance().is_initialized()
    with pytest.raises(BadInput):
        composing.compose(Overrides(grid={"task": ["nonesuch"]}), conf)
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.parametrize("nth_call", range(1, 12))
def test_an_interrupt_amid_hydras_work_is_an_interrupt(nth_call, monkeypatch, conf):
    """OmegaConf's `finally` clauses make errors of their own out of some."""
    key, calls = omegaconf.base.Node._key, itertools.count(1)

    def interrupted(node):
        if next(calls) == nth_call:
            raise KeyboardInterrupt
        return key(node)

    monkeypatch.setattr(omegaconf.base.Node, "_key", interrupted)
    with pytest.raises(KeyboardInterrupt):
        plan(["task=adding"], conf)


def test_no_environment_variable_reaches_a_spec(conf, experiment, monkeypatch):
    monkeypatch.setenv("SECRET", "0.125")
    experiment("grid: {task: [adding]}\nlr: ${oc.env:SECRET}\n")
    with pytest.raises(BadInput, match="is refused") as caught:
        plan(["experiment=trial"], conf)
    assert "0.125" not in str(caught.value)


def test_a_target_is_never_called(conf, experiment, tmp_path):
    victim = tmp_path / "touched"
    experiment(
        "grid: {task: [adding]}\n"
        f"task: {{adding: {{_target_: pathlib.Path.touch, self: {victim}}}}}\n"
    )
    with pytest.raises(BadInput, match="a config is plain data and runs no code"):
        plan(["experiment=trial"], conf)
    assert not victim.exists()
