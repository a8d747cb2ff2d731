"""The criterion that is read from a task's file is the one that the task itself applies."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bench import discovery, plugins
from bench.records import MemberSpec
from bench.reporting.criteria import solved_level

OF_NO_NUMBER = {"char_lm"}
"""Its criterion is an entropy of the text."""
_STEP = 1e-9


def level(name: str, **settings: Any) -> float | None:
    higher = bool(discovery.member("task", name).facts["higher_is_better"])
    spec = MemberSpec(name, {**discovery.defaults("task", name), **settings})
    return solved_level(spec, chance=0.0 if higher else 1.0, higher_is_better=higher)


@pytest.mark.parametrize("name", sorted(set(discovery.members("task")) - OF_NO_NUMBER))
def test_the_task_is_solved_beyond_it_and_not_before(name: str) -> None:
    task = discovery.build("task", MemberSpec(name, discovery.defaults("task", name)))
    found = level(name)
    assert found is not None
    better = _STEP if task.higher_is_better else -_STEP
    assert not task.is_solved(math.nan, found - better)
    assert task.is_solved(math.nan, found + better)


@pytest.mark.parametrize(
    ("name", "variant", "expected"),
    [
        ("adding", "arjovsky", 0.01),
        ("adding", "hs97", 0.0),
        ("temporal_order", "hs97", 1.0),
        ("temporal_order", "pascanu13", 0.99),
        ("multiplication", "hs97", 13 / 2000),
    ],
)
def test_it_may_depend_on_a_setting(name: str, variant: str, expected: float) -> None:
    assert level(name, variant=variant) == expected


@pytest.mark.parametrize("name", sorted(OF_NO_NUMBER))
def test_a_criterion_that_is_no_number_is_none(name: str) -> None:
    assert level(name) is None


def test_of_a_task_that_is_not_at_hand_nothing_is_known() -> None:
    spec = MemberSpec("from_a_plug_in_of_last_year", {})
    assert solved_level(spec, chance=0.1, higher_is_better=True) is None


def test_a_chance_level_that_solves_the_task_leaves_no_scale() -> None:
    spec = MemberSpec("digits", discovery.defaults("task", "digits"))
    assert solved_level(spec, chance=0.96, higher_is_better=True) is None
    assert solved_level(spec, chance=math.nan, higher_is_better=True) is None


def test_the_task_of_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "@dataclass(frozen=True)\n"
        "class Mine:\n"
        "    metric: ClassVar[str] = 'accuracy'\n"
        "    higher_is_better: ClassVar[bool] = True\n"
        "    goal: float\n"
        "    def is_solved(self, loss: float, score: float) -> bool:\n"
        "        return score >= self.goal\n"
    )
    monkeypatch.setattr(plugins, "files", lambda: (file,))
    spec = MemberSpec("mine", {"goal": 0.75})
    assert solved_level(spec, chance=0.5, higher_is_better=True) == 0.75
