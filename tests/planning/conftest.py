from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bench.paths import CONF
from bench.planning import composing


@pytest.fixture(scope="session", autouse=True)
def _composed_once():
    """Hydra takes 0.1 s to compose; the files under the project's own conf/ do not change."""
    compose = composing._compose
    once = cache(lambda overrides: compose(CONF, list(overrides)))

    def remembering(conf: Path, overrides: list[str]):
        if conf != CONF:
            return compose(conf, overrides)
        values, choices = once(tuple(overrides))
        return dict(values), choices

    patch = pytest.MonkeyPatch()
    patch.setattr(composing, "_compose", remembering)
    yield
    patch.undo()


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A copy of the project's conf/, to be changed."""
    return Path(shutil.copytree(CONF, tmp_path / "conf"))


@pytest.fixture
def experiment(conf: Path) -> Callable[..., Path]:
    """Writes an experiment's file, under its header, into `conf`."""

    def write(text: str, name: str = "trial", header: str = "# @package _global_\n") -> Path:
        path = conf / "experiment" / f"{name}.yaml"
        path.write_text(header + text)
        return path

    return write
