"""What members there are: read from their files, which are not imported (torch takes a second).

A member is `bench/KINDs/NAME.py`, holding one frozen dataclass, with its defaults in
`conf/KIND/NAME.yaml`; or the same in a plug-in (bench/plugins.py). Nothing lists the members: a
file that is there is a member.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from bench import conditions, plain_yaml, plugins, settings
from bench.paths import CONF, PACKAGE, visible_files
from bench.plain_text import one_line
from bench.records import BadInput, MemberSpec

KINDS = {
    "task": "tasks",
    "architecture": "architectures",
    "mitigation": "mitigations",
    "optimizer": "optimizers",
}


SIGNS = {"needs": "mitigation", "metric": "task", "gates": "architecture"}
"""A literal fact -> the kind that has it."""


TAKEN = {
    *("prepare", "start", "observe", "penalty", "gradient_penalty", "transform", "project"),
    *("schedule", "fills_in", "watches", "reads_states", "build", "update", "generate", "loss"),
    *("score", "is_solved", "training_batch", "evaluation_batch", "signature", "name"),
}
"""What members are asked for by name: a setting of that name would stand in its place."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """What a member's file says of it."""

    kind: str
    name: str
    path: Path
    yaml: Path  # its defaults
    module: str  # to import it by, unless it is a file that was named
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


def members(kind: str) -> Mapping[str, Member]:
    """Name -> member, for one of KINDS. BadInput for a file that was named and is none."""
    return _members(kind, plugins.files()).members


def unreadable(kind: str) -> Mapping[str, str]:
    """Name -> why a file that is installed is no member of this kind, in one line. It stops only
    who asks for that name: whoever installed two packages still has the other."""
    return _members(kind, plugins.files()).unreadable


class _Found(NamedTuple):
    members: Mapping[str, Member]
    unreadable: Mapping[str, str]


@cache
def _members(kind: str, files: tuple[Path, ...]) -> _Found:
    found: dict[str, Member] = {}
    unreadable: dict[str, str] = {}
    for file in _installed(kind):
        name = file.path.stem
        try:
            member = _read(kind, *file)
        except BadInput as error:
            unreadable[name] = str(error)
            continue
        if name in found:
            unreadable[name] = _two(found[name], member)
        found.setdefault(name, member)
    for member in _of_files(kind, files):
        if member.name in found:
            raise BadInput(_two(found[member.name], member))
        found[member.name] = member
    usable = {name: found[name] for name in sorted(found) if name not in unreadable}
    return _Found(usable, dict(sorted(unreadable.items())))


def _two(one: Member, other: Member) -> str:
    where = f"{one.path} and {other.path}"
    return f"{one.kind} {one.name}: there are two, {where}; rename or uninstall one"


class _File(NamedTuple):
    path: Path
    yaml: Path
    module: str


def _installed(kind: str) -> Iterator[_File]:
    """The files of this project, and then of plug-in packages."""
    yield from _in_package(kind, "bench", PACKAGE, CONF)
    for package in plugins.packages():
        yield from _in_package(kind, package.name, package.folder, package.conf)


def _of_files(kind: str, files: Sequence[Path]) -> Iterator[Member]:
    for path in files:
        member = _read(kind, path, path.with_suffix(".yaml"), module="")
        if _kind_of(member) == kind:
            yield member


def _in_package(kind: str, package: str, folder: Path, conf: Path) -> Iterator[_File]:
    room = KINDS[kind]
    for path in visible_files(folder / room, ".py"):
        module = f"{package}.{room}.{path.stem}"
        yield _File(path, conf / kind / f"{path.stem}.yaml", module)


def _kind_of(member: Member) -> str:
    """Of a file that stands in no folder of members: told by the facts that it states."""
    for fact, kind in SIGNS.items():
        if fact in member.facts:
            return kind
    if "lr" in member.schema:
        return "optimizer"
    signs = ", ".join(f"{fact} ({kind})" for fact, kind in SIGNS.items())
    raise BadInput(
        f"{member.path}: of which kind is it? {member.class_name} must have one of the literal "
        f"class variables {signs}, or a setting lr (optimizer)"
    )


def member(kind: str, name: str) -> Member:
    """Raises BadInput with the nearest name where there is none such, or with what is wrong."""
    known = members(kind)
    if name in known:
        return known[name]
    if name in unreadable(kind):
        raise BadInput(f"{kind}={name}: {unreadable(kind)[name]}")
    hint = settings.nearest(name, list(known))
    lost = "".join(f"; {orphan}" for orphan in plugins.orphans())
    raise BadInput(
        f"{kind}={name}: there is no such {kind}{hint}; see: bench list {KINDS[kind]}; one in a "
        f"file of your own needs --plugin FILE.py{lost}"
    )


def defaults(kind: str, name: str) -> dict[str, Any]:
    """What the member's YAML says; nothing where there is no such. BadInput names file and line."""
    found = members(kind).get(name)
    return plain_yaml.values(found.yaml) if found and found.yaml.is_file() else {}


def build(kind: str, spec: MemberSpec) -> Any:
    """The member itself: its class, imported, with its settings."""
    found = member(kind, spec.name)
    # Its last part is the member's name, as everywhere: random streams are keyed by it.
    name = found.module or f"bench plug-in {found.digest}.{found.name}"
    is_new = name not in sys.modules
    module = importlib.import_module(name) if found.module else _from_file(name, found.path)
    # Between reading a file and importing it somebody may edit it: its runs would lie.
    if is_new and _read(kind, found.path, found.yaml, found.module).digest != found.digest:
        raise RuntimeError(f"{found.path} was edited while the runs were under way; run them again")
    return getattr(module, found.class_name)(**spec.settings)


def _from_file(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # a dataclass looks its own module up
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _read(kind: str, path: Path, yaml: Path, module: str) -> Member:
    source, body = _parse(path)
    classes = [node for node in body if isinstance(node, ast.ClassDef) and _is_dataclass(node)]
    if len(classes) != 1:
        raise BadInput(f"{path}: holds {len(classes)} public dataclasses; a member file holds one")
    (node,) = classes
    schema, facts = {}, {}
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            name = line.target.id
            if line.value is None and name in TAKEN:
                raise BadInput(
                    f"{path}: a setting cannot be called {name}, which is a method of members"
                )
            if line.value is None:
                schema[name] = _annotation(line.annotation, path)
            elif "ClassVar" in ast.unparse(line.annotation):
                facts[name] = _literal(line.value, path)
            else:
                where = plain_yaml.short(yaml)
                raise BadInput(f"{path}: {name} has a default; defaults stand in {where} alone")
    _check_requirements(path, facts.get("requires", {}), schema)
    return Member(
        kind=kind,
        name=path.stem,
        path=path,
        yaml=yaml,
        module=module,
        class_name=node.name,
        doc=ast.get_docstring(node) or "",
        schema=schema,
        facts=facts,
        digest=_digest(path, module.rpartition(".")[0], source, body),
    )


def _check_requirements(path: Path, requires: Any, schema: Mapping[str, Any]) -> None:
    texts = [*requires, *requires.values()] if isinstance(requires, dict) else [None]
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise BadInput(f"{path}: requires must be a dict, condition -> why, each a text")
    for text in requires:
        try:
            conditions.check(text, schema)
        except ValueError as error:
            raise BadInput(f"{path}: requires {one_line(text)}: {error}") from error


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


def _digest(path: Path, room: str, source: bytes, body: list[ast.stmt]) -> str:
    """Of the file, and of the private files of its room that it or one of them imports."""
    sha = hashlib.sha256(source)
    bodies = {path: body}
    files = [path]
    for file in files:  # which grows meanwhile
        for private in _private_imports(file, room, bodies[file]):
            if private not in bodies:
                more, bodies[private] = _parse(private)
                sha.update(more)
                files.append(private)
    return sha.hexdigest()


def _private_imports(path: Path, room: str, body: list[ast.stmt]) -> Iterator[Path]:
    """Files such as _recurrent.py of the package `room`, in the order of their imports."""
    package, folder = room.partition(".")[0], path.parent
    for name in _imported(path, room, body):
        file = folder / f"{name.removeprefix(f'{room}.')}.py"
        if name.startswith(f"{room}._") and file.is_file():
            yield file
        elif package not in ("", "bench") and name.startswith(f"{package}."):
            # A plug-in's own modules count wherever they stand; bench's are under its version.
            top = folder if folder.name == package else folder.parent
            file = (top / Path(*name.split(".")[1:])).with_suffix(".py")
            if file.is_file():
                yield file


def _imported(path: Path, room: str, body: list[ast.stmt]) -> Iterator[str]:
    """The dotted names that a file imports, and those that it may import as modules."""
    package = room.partition(".")[0]
    here = room if path.parent.name == room.rpartition(".")[2] else package
    for line in body:
        if isinstance(line, ast.Import):
            yield from (alias.name for alias in line.names)
        elif isinstance(line, ast.ImportFrom):
            parents = here.split(".")[: len(here.split(".")) + 1 - line.level]
            module = ".".join(
                [*(parents if line.level else []), *([line.module] if line.module else [])]
            )
            yield module
            yield from (f"{module}.{alias.name}" for alias in line.names)


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
