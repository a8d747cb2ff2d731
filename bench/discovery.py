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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from bench import plain_yaml, settings
from bench.paths import CONF, PACKAGE, visible_files
from bench.plain_text import one_line
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
        return one_line(self.doc.split("\n", 1)[0], 200).rstrip(".")

    @property
    def reference(self) -> str:
        found = re.search(r"^References?: (.+?)(?:\n\n|\Z)", self.doc, re.M | re.S)
        return one_line(found.group(1), 1000) if found else ""


@cache
def members(kind: str) -> Mapping[str, Member]:
    """Name -> member, for one of KINDS."""
    folder = PACKAGE / KINDS[kind]
    return {path.stem: _read(kind, path) for path in visible_files(folder, ".py")}


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
    """What the member's YAML says; nothing where it has none. BadInput names file and line."""
    file = CONF / kind / f"{name}.yaml"
    return plain_yaml.values(file) if file.is_file() else {}


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
    source, body = _parse(path)
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


def _parse(path: Path) -> tuple[bytes, list[ast.stmt]]:
    """(the file's bytes, its statements)"""
    try:
        source = path.read_bytes()
        return source, ast.parse(source).body
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        raise BadInput(f"{path}, line {error.lineno}: not Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL, or a thousand brackets
        raise BadInput(f"{path}: not Python: {error}") from error


def _digest(path: Path, source: bytes, body: list[ast.stmt]) -> str:
    """Of the file, and of the private files of its room that it or one of them imports."""
    sha = hashlib.sha256(source)
    bodies = {path: body}
    files = [path]
    for file in files:  # which grows meanwhile
        for private in _private_imports(file, bodies[file]):
            if private not in bodies:
                more, bodies[private] = _parse(private)
                sha.update(more)
                files.append(private)
    return sha.hexdigest()


def _private_imports(path: Path, body: list[ast.stmt]) -> Iterator[Path]:
    """Files such as _recurrent.py, in the order in which they are imported."""
    room = f"bench.{path.parent.name}"
    for line in body:
        names = []
        if isinstance(line, ast.ImportFrom) and line.module == room:
            names = [f"{room}.{alias.name}" for alias in line.names]
        elif isinstance(line, ast.ImportFrom):
            names = [str(line.module)]
        elif isinstance(line, ast.Import):
            names = [alias.name for alias in line.names]
        for name in names:
            file = path.with_name(f"{name.removeprefix(f'{room}.')}.py")
            if name.startswith(f"{room}._") and file.is_file():
                yield file


def _is_dataclass(node: ast.ClassDef) -> bool:
    return not node.name.startswith("_") and any(
        "dataclass" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def _annotation(node: ast.expr, path: Path) -> Any:
    """The annotation, read with the words of bench.settings and the plain types alone."""
    words = {name: getattr(settings, name) for name in settings.__all__}
    words |= {"int": int, "float": float, "bool": bool, "str": str, "__builtins__": {}}
    where = f"{path}, line {node.lineno}: setting of type {one_line(ast.unparse(node))}"
    try:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # x: "Positive"
            node = ast.parse(node.value, mode="eval").body
        found = eval(compile(ast.Expression(node), str(path), "eval"), words)  # noqa: S307
    except NameError as error:
        raise BadInput(f"{where}: {error.name} is not in bench.settings") from error
    except Exception as error:  # whatever an expression may raise
        raise BadInput(f"{where}: {one_line(str(error))}") from error
    if not _is_type_of_setting(found):
        raise BadInput(
            f"{where}: must be one of those in bench.settings, int, float, bool, str, "
            "Annotated[float, Range(...)], Literal[...]"
        )
    return found


def _is_type_of_setting(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(isinstance(choice, str | int | float) for choice in get_args(annotation))
    if get_origin(annotation) is Annotated:
        kind, *bounds = get_args(annotation)
        return kind in (int, float) and [type(each) for each in bounds] == [settings.Range]
    return annotation in (int, float, bool, str)


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise BadInput(
            f"{path}: {ast.unparse(node)} is not a literal; it is read without being run"
        ) from error
