"""What every member's file and YAML must be, whatever the kind."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from bench import conditions, discovery, plain_yaml
from bench.acceptance.findings import Check, demand
from bench.acceptance.small import small
from bench.discovery import Member
from bench.mitigations import Mitigation
from bench.planning.config_files import check_file
from bench.settings import check

FACTS: dict[str, dict[str, type | tuple[Any, ...]]] = {
    "mitigation": {
        "needs": tuple,
        "claims": tuple,
        "nonfinite": ("propagates", "repairs", "skips"),
        "portable": bool,
    },
    "architecture": {
        "inputs": ("sequence", "vector"),
        "gates": int,
        "provides": tuple,
        "portable": bool,
    },
    "task": {
        "inputs": ("sequence", "vector"),
        "metric": str,
        "higher_is_better": bool,
        "portable": bool,
    },
    "optimizer": {"portable": bool},
}
"""Kind -> the literal class variables it must have: a type, or the values allowed."""


def checks(member: Member) -> Iterator[tuple[str, Check]]:
    yield "file", partial(_class, member)
    yield "requires", partial(_requirements, member)
    yield "defaults", partial(_defaults, member)
    yield "docstring", partial(_docstring, member)


def _class(member: Member) -> str:
    for name, wanted in FACTS[member.kind].items():
        demand(name in member.facts, f"lacks the literal class variable {name}")
        value = member.facts[name]
        good = value in wanted if isinstance(wanted, tuple) else type(value) is wanted
        allowed = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else wanted.__name__
        demand(good, f"{name} = {value!r}: must be {allowed}")
    built = type(discovery.build(member.kind, small(member.kind, member.name)))
    demand(built.__dataclass_params__.frozen, "the dataclass must be frozen")
    fields = dataclasses.fields(built)
    demand([field.name for field in fields] == list(member.schema), "settings are not its fields")
    demand(all(field.kw_only for field in fields), "the dataclass must be keyword-only")
    if member.kind == "mitigation":
        strange = {name for name in vars(built) if _is_method(built, name)} - set(dir(Mitigation))
        demand(not strange, f"{', '.join(sorted(strange))} is no moment; begin it with _ if meant")
    return f"{member.class_name}: {', '.join(member.schema) or 'no settings'}"


def _requirements(member: Member) -> str:
    """A condition on a setting that nothing has would never be judged."""
    texts = list(member.facts.get("requires", {}))
    for name in (name for text in texts for name in conditions.read(text).names):
        kind, point, setting = name.partition(".")
        if not point or name == "dataset.size":
            continue
        known = discovery.members(kind).values() if kind in discovery.KINDS else ()
        has = any(setting in other.schema for other in known)
        demand(has, f"requires something of {name}, which no {kind} has")
    return "; ".join(texts) or "nothing of the others' settings"


def _is_method(built: type, name: str) -> bool:
    return callable(vars(built)[name]) and not name.startswith("_")


def _defaults(member: Member) -> str:
    """Each setting once, in the order of the fields, with a value that it allows."""
    where = plain_yaml.short(member.yaml)
    check_file(member.yaml, package=f"{member.kind}.{member.name}")
    defaults = discovery.defaults(member.kind, member.name)
    demand(list(defaults) == list(member.schema), f"{where} must hold {list(member.schema)}")
    for name, value in defaults.items():
        check(value, member.schema[name], f"{where}: {name}")
    return where


def _docstring(member: Member) -> str:
    first = member.doc.partition("\n")[0]
    demand(bool(re.fullmatch(r"[A-Z].{5,89}[.:]", first)), "first line: 7 to 91 characters, A to .")
    demand(bool(member.reference), "no line that begins with Reference:")
    if member.kind == "task":
        demand("Solved" in member.doc, "does not say when it counts as solved")
        tells = any(word in member.doc for word in ("hance", "Predicting", "without"))
        demand(tells, "does not say what chance gives")
    elif "alone" not in member.facts.get("claims", ()):
        demand(bool(re.search(r" (=|<-) ", member.doc)), "holds no equation")
    if member.kind in ("mitigation", "optimizer"):
        tells = bool(re.search(r"finite|NaN", member.doc))
        demand(tells, "does not say what becomes of inf and NaN")
    return member.summary
