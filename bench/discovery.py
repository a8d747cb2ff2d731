"""What members there are: read from their files, which are not imported (torch takes a second).

A member is `bench/KINDs/NAME.py`, holding one frozen dataclass, with its defaults in
`conf/KIND/NAME.yaml`. Nothing lists the members: a file that is there is a member.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench import settings
from bench.paths import CONF, PACKAGE
from bench.records import BadInput, MemberSpec

KINDS = {
    "task": "tasks",
    "architecture": "architectures",
    "mitigation": "mitigations",
    "optimizer": "optimizers",
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """What a member's file says of it."""

    kind: str
    name: str
    path: Path
    class_name: str
    doc: str
    schema: Mapping[str, Any] = field(repr=False)  # setting -> annotation, in the file's order
    facts: Mapping[str, Any] = field(repr=False)  # the literal ClassVars: needs, inputs, gates, ...
    digest: str  # SHA-256 of the file and of the private files of its room that it imports

    @property
    def summary(self) -> str:
        return self.doc.split("\n", 1)[0].rstrip(".")

    @property
    def reference(self) -> str:
        found = re.search(r"^References?: (.+?)(?:\n\n|\Z)", self.doc, re.M | re.S)
        return " ".join(found.group(1).split()) if found else ""


@cache
def members(kind: str) -> Mapping[str, Member]:
    """Name -> member, for one of KINDS."""
    folder = PACKAGE / KINDS[kind]
    return {
        path.stem: _read(kind, path)
        for path in sorted(folder.glob("*.py"))
        if not path.stem.startswith("_")
    }


def member(kind: str, name: str) -> Member:
    """Raises BadInput with the nearest name where there is none such."""
    known = members(kind)
    if name not in known:
        hint = settings.nearest(name, list(known))
        raise BadInput(
            f"{kind}={name}: there is no such {kind}{hint}; see: bench list {KINDS[kind]}"
        )
    return known[name]


def defaults(kind: str, name: str) -> dict[str, Any]:
    """What the member's YAML says; nothing where it has none."""
    file = CONF / kind / f"{name}.yaml"
    values = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else None
    return dict(values or {})


def build(kind: str, spec: MemberSpec) -> Any:
    """The member itself: its class, imported, with its settings."""
    found = member(kind, spec.name)
    name = f"bench.{KINDS[kind]}.{found.name}"
    is_new = name not in sys.modules
    module = importlib.import_module(name)
    # Between reading a file and importing it somebody may edit it: its runs would lie.
    if is_new and _read(kind, found.path).digest != found.digest:
        raise RuntimeError(f"{found.path} was edited while the runs were under way; run them again")
    return getattr(module, found.class_name)(**spec.settings)


def _read(kind: str, path: Path) -> Member:
    source = path.read_bytes()
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise BadInput(f"{path}, line {error.lineno}: not Python: {error.msg}") from error
    classes = [node for node in body if isinstance(node, ast.ClassDef) and _is_dataclass(node)]
    if len(classes) != 1:
        raise BadInput(f"{path}: holds {len(classes)} public dataclasses; a member file holds one")
    (node,) = classes
    schema, facts = {}, {}
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            name = line.target.id
            if line.value is None:
                schema[name] = _annotation(line.annotation, path)
            elif "ClassVar" in ast.unparse(line.annotation):
                facts[name] = _literal(line.value, path)
            else:
                yaml = f"conf/{kind}/{path.stem}.yaml"
                raise BadInput(f"{path}: {name} has a default; defaults stand in {yaml} alone")
    return Member(
        kind=kind,
        name=path.stem,
        path=path,
        class_name=node.name,
        doc=ast.get_docstring(node) or "",
        schema=schema,
        facts=facts,
        digest=_digest(path, source, body),
    )


def _digest(path: Path, source: bytes, body: list[ast.stmt]) -> str:
    """Of the file and of the private files of its room that it imports, such as _recurrent.py."""
    sha = hashlib.sha256(source)
    room = f"bench.{path.parent.name}._"
    for line in body:
        if isinstance(line, ast.ImportFrom) and (line.module or "").startswith(room):
            private = str(line.module).rpartition(".")[2]
            sha.update(path.with_name(f"{private}.py").read_bytes())
    return sha.hexdigest()


def _is_dataclass(node: ast.ClassDef) -> bool:
    return not node.name.startswith("_") and any(
        "dataclass" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def _annotation(node: ast.expr, path: Path) -> Any:
    """The annotation, read with the words of bench.settings and the plain types alone."""
    words = {name: getattr(settings, name) for name in settings.__all__}
    words |= {"int": int, "float": float, "bool": bool, "str": str, "__builtins__": {}}
    try:
        return eval(compile(ast.Expression(node), str(path), "eval"), words)  # noqa: S307
    except NameError as error:
        raise BadInput(
            f"{path}: setting of type {ast.unparse(node)}: {error.name} is not in bench.settings"
        ) from error
    except TypeError as error:
        raise BadInput(f"{path}: setting of type {ast.unparse(node)}: {error}") from error


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise BadInput(
            f"{path}: {ast.unparse(node)} is not a literal; it is read without being run"
        ) from error
