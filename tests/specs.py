"""Specifications to test with: every member at its YAML's defaults, small enough to run at once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bench import datasets
from bench.paths import CONF
from bench.planning.at_hand import data_set
from bench.records import MemberSpec, RunSpec

SMALL = {
    "task": {"length": 20, "context": 5, "pixels": 49, "batch_size": 8, "evaluation_size": 100},
    "architecture": {"hidden_size": 12, "depth": 4},
    "mitigation": {},
    "optimizer": {},
}


def member(group: str, name: str, /, **settings: Any) -> MemberSpec:
    defaults = yaml.safe_load((CONF / group / f"{name}.yaml").read_text()) or {}
    small = {key: value for key, value in SMALL[group].items() if key in defaults}
    return MemberSpec(name, {**defaults, **small, **settings})


def why_not_here(task: str) -> str:
    """Why the task cannot be run on this machine, which is that its data set cannot be read."""
    name = data_set(member("task", task))
    return datasets.problem(name) if name else ""


def with_data_of(task: str, *values: Any) -> Any:
    """`values` as parameters of a test that is skipped, with the reason, where the data of `task`
    is missing."""
    reason = why_not_here(task)
    return pytest.param(*values, marks=[pytest.mark.skip(reason=reason)] if reason else [])


def spec(
    task: str = "adding",
    architecture: str = "rnn_tanh",
    mitigation: str | tuple[MemberSpec, ...] = "none",
    optimizer: str = "sgd",
    *,
    steps: int = 20,
    seed: int = 0,
    task_settings: dict[str, Any] | None = None,
    architecture_settings: dict[str, Any] | None = None,
    optimizer_settings: dict[str, Any] | None = None,
    **fields: Any,
) -> RunSpec:
    """`mitigation` is names joined with +, or MemberSpecs where their settings matter."""
    if isinstance(mitigation, str):
        mitigation = tuple(member("mitigation", name) for name in mitigation.split("+"))
    return RunSpec(
        task=member("task", task, **{"steps": steps, **(task_settings or {})}),
        architecture=member("architecture", architecture, **architecture_settings or {}),
        mitigation=mitigation,
        optimizer=member("optimizer", optimizer, **optimizer_settings or {}),
        seed=seed,
        **fields,
    )


def exploding(mitigation: str | tuple[MemberSpec, ...] = "none", **fields: Any) -> RunSpec:
    """A ReLU network of recurrent gain 1.3: gone within a few updates unless helped."""
    settings = {"task_settings": {"length": 60}} | fields
    return spec(
        architecture="rnn_relu",
        mitigation=mitigation,
        architecture_settings={"kind": "orthogonal", "gain": 1.3},
        **settings,
    )
