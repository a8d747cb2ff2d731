"""What every member's file and its YAML must be, whatever the kind."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from typing import get_type_hints

import pytest
from omegaconf import OmegaConf

from bench.discovery import KINDS, Member, defaults, members
from bench.network import Network
from bench.paths import CONF
from bench.settings import check

MEMBERS = [member for kind in KINDS for member in members(kind).values()]
each_member = pytest.mark.parametrize(
    "member", MEMBERS, ids=[f"{member.kind}-{member.name}" for member in MEMBERS]
)
PROVIDES = {
    *("square_weights", "recurrent_weights", "preactivation", "state", "feedback", "skip"),
    *("hidden_states", "activation", "plain_recurrence", "forget_gate", "carry", "layers"),
    *("plain_layers", "branches", "no_shortcut"),
}
"""What an architecture may provide."""
OF_TASKS = {"trajectory"}
"""What a task may provide."""
ROOMS = {"records", "seeding", "settings", "datasets", "kernels", "initial_weights", "network"}


def runtime_class(member: Member) -> type:
    module = importlib.import_module(f"bench.{KINDS[member.kind]}.{member.name}")
    found: type = getattr(module, member.class_name)
    return found


@each_member
def test_the_docstring_says_what_how_and_whence(member: Member) -> None:
    first = member.doc.splitlines()[0]
    assert re.fullmatch(r"[A-Z].{5,89}[.:]", first), first
    assert member.reference
    if member.kind == "task":
        assert "Solved" in member.doc
        assert "hance" in member.doc or "Predicting" in member.doc or "without" in member.doc
    elif "alone" not in member.facts.get("claims", ()):
        assert re.search(r" (=|<-) ", member.doc), "no equation"
    if member.kind in ("mitigation", "optimizer"):
        assert re.search(r"finite|NaN", member.doc), "what becomes of inf and NaN?"


@each_member
def test_the_yaml_holds_a_valid_default_for_every_setting_and_nothing_else(member: Member) -> None:
    path = CONF / member.kind / f"{member.name}.yaml"
    assert path.read_text().splitlines()[0] == f"# @package {member.kind}.{member.name}"
    defaults = OmegaConf.to_container(OmegaConf.load(path)) or {}
    assert isinstance(defaults, dict)
    assert list(defaults) == list(member.schema)
    for name, value in defaults.items():
        assert check(value, member.schema[str(name)], f"{member.name}.{name}") == value


@pytest.mark.parametrize("kind", KINDS)
def test_every_yaml_has_its_member(kind: str) -> None:
    stems = {path.stem for path in (CONF / kind).glob("*.yaml")}
    assert stems == set(members(kind))


@each_member
def test_it_is_a_frozen_keyword_only_dataclass_without_defaults(member: Member) -> None:
    cls = runtime_class(member)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    for field in dataclasses.fields(cls):
        assert field.kw_only, field.name
        assert field.default is dataclasses.MISSING, field.name
        assert field.default_factory is dataclasses.MISSING, field.name


@each_member
def test_what_is_read_from_the_file_is_what_python_makes_of_it(member: Member) -> None:
    cls = runtime_class(member)
    assert [field.name for field in dataclasses.fields(cls)] == list(member.schema)
    hints = get_type_hints(cls, include_extras=True)
    for name, annotation in member.schema.items():
        assert hints[name] == annotation, name
    for name, value in member.facts.items():
        assert getattr(cls, name) == value, name
    assert inspect.getdoc(cls) == member.doc


@each_member
def test_its_literal_facts_are_there(member: Member) -> None:
    facts = member.facts
    if member.kind in ("task", "architecture"):
        assert facts["inputs"] in ("sequence", "vector")
    if member.kind == "task":
        assert set(facts.get("provides", ())) <= OF_TASKS
        assert isinstance(facts["metric"], str)
        assert isinstance(facts.get("dataset", ""), str)
        assert isinstance(facts.get("memorised", False), bool)
        assert isinstance(facts["higher_is_better"], bool)
        assert {"batch_size", "steps", "evaluation_size"} <= set(member.schema)
    if member.kind == "architecture":
        assert facts["gates"] >= 1
        assert set(facts["provides"]) <= PROVIDES
    if member.kind == "mitigation":
        assert set(facts["needs"]) <= PROVIDES | OF_TASKS
        assert all(isinstance(claim, str) for claim in facts["claims"])
        assert facts["nonfinite"] in ("propagates", "repairs", "skips")
    if member.kind == "optimizer":
        assert "lr" in member.schema
        low, high = facts["rates"]
        assert 0 < low < discovery_default(member, "lr") < high
    for name, values in facts.get("tries", {}).items():
        assert len(set(values)) in (1, 2, 4)
        assert [check(value, member.schema[name], name) for value in values] == list(values)
    if member.kind == "task" and facts["inputs"] == "sequence":
        setting, unit = facts["time_steps"]
        assert setting in member.schema
        assert unit >= 1
    assert isinstance(facts["portable"], bool)


def discovery_default(member: Member, name: str) -> float:
    return float(defaults(member.kind, member.name)[name])


@each_member
def test_the_file_is_short(member: Member) -> None:
    lines = member.path.read_text().splitlines()
    assert len(lines) < 250
    assert max(map(len, lines)) <= 100


@each_member
def test_it_imports_no_other_member_and_no_room_below(member: Member) -> None:
    package = f"bench.{KINDS[member.kind]}"
    tree = ast.parse(member.path.read_text())
    imported = {
        alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    public = {f"{package}.{name}" for name in members(member.kind)}
    for name in imported:
        if name.split(".")[0] != "bench":
            continue
        own = name.startswith(f"{package}.") and not any(
            name == other or name.startswith(f"{other}.") for other in public
        )
        assert own or name.split(".")[1] in ROOMS, name


def test_the_words_of_the_contract_are_those_of_the_network() -> None:
    assert Network().site_widths == {}
    told = {p for m in members("architecture").values() for p in m.facts["provides"]}
    assert told <= PROVIDES
