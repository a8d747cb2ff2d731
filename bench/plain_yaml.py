"""A YAML file as plain data: lists and mappings of texts, numbers, true, false and null.

To YAML 1.1, which Hydra reads, 0123 is 83, 1:40 is 100 and `on` is true; a tag asks for any type;
a few lines of aliases stand for a billion values. All of that is refused here, with file and line,
so that what is left means to every program what it means to its reader.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bench.plain_text import one_line
from bench.records import BadInput

MOST_BYTES = 200_000
MOST_NODES = 10_000  # keys and values, as often as aliases repeat them; Hydra takes 0.1 ms for each
DEEPEST = 20

_TAG = "tag:yaml.org,2002:"
_MEANINGS = {
    "int": "a number in base 2, 8, 16 or 60 to YAML; write it in base 10, or a text in quotes",
    "float": "a number in base 60 to YAML; write it in base 10, or a text in quotes",
    "bool": "true or false to YAML; write that word, or a text in quotes",
    "timestamp": "a date to YAML; put it in quotes",
    "value": "a sign of YAML's own; put it in quotes",
    "merge": "a key of YAML's own; put it in quotes",
}
"""What YAML 1.1 takes a word for that is no value here."""


class _Loader(yaml.SafeLoader):
    """Knows null, true, false, whole numbers and floats as Python writes them, and texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (as in yaml's own)


for _name, _pattern in {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)",
    "float": r"[-+]?[0-9]+(_[0-9]+)*(\.[0-9_]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
    r"|\.[0-9]+(_[0-9]+)*([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "merge": r"<<",
}.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), None)

_OURS: Any = _Loader("")
_YAML_1_1: Any = yaml.SafeLoader("")


def values(path: Path) -> dict[str, Any]:
    """Key -> value of a file. Raises BadInput with file and line."""
    _, tree = read(path)
    found: dict[str, Any] = {} if tree is None else _Loader("").construct_document(tree)
    return found


def read(path: Path) -> tuple[str, Any]:
    """A file's text, and the mapping that it holds as a tree of YAML nodes (None if it is empty).

    Raises BadInput with file and line.
    """
    text = text_of(path)
    try:
        tree = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise BadInput(f"{short(path)}{line}: {one_line(error.problem or str(error))}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{short(path)}: cannot be read as YAML: {one_line(str(error))}") from error
    except RecursionError as error:
        raise BadInput(f"{short(path)}: nested too deeply; at most {DEEPEST} levels") from error
    if tree is not None:
        if not isinstance(tree, yaml.MappingNode):
            raise BadInput(f"{place(path, tree)}: must hold KEY: VALUE lines")
        _check(tree, path, depth=1, num_before=0)
    return text, tree


def text_of(path: Path) -> str:
    """Raises BadInput for a file that cannot be read, is too large, or holds no text."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BadInput(f"{short(path)}: larger than {MOST_BYTES:,} bytes; that is no config")
        return content.decode("utf-8")
    except OSError as error:
        raise BadInput(f"{short(path)}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{short(path)}: cannot be read: not UTF-8 at byte {error.start}") from error


def place(path: Path, node: Any) -> str:
    return f"{short(path)}, line {node.start_mark.line + 1}"


def short(path: Path) -> str:
    """conf/task/adding.yaml: enough to find it, and nothing of whose machine it is."""
    parts = path.parts
    start = len(parts) - 1 - parts[::-1].index("conf") if "conf" in parts else -2
    return one_line(Path(*parts[start:]).as_posix())


def _check(node: Any, path: Path, depth: int, num_before: int) -> int:
    """How many nodes there are after this one and all in it; what aliases repeat counts anew."""
    if depth > DEEPEST:
        raise BadInput(f"{place(path, node)}: nested too deeply; at most {DEEPEST} levels")
    num_nodes = num_before + 1
    if num_nodes > MOST_NODES:
        raise BadInput(f"{place(path, node)}: the file holds more than {MOST_NODES:,} values")
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node, path)
    elif node.tag not in (_TAG + "map", _TAG + "seq"):
        raise BadInput(f"{place(path, node)}: {_tag(node)} is refused: a config is plain data")
    elif isinstance(node, yaml.MappingNode):
        _check_keys([key for key, _ in node.value], path)
        for key, value in node.value:
            if key.tag != _TAG + "merge":
                num_nodes = _check(key, path, depth + 1, num_nodes)
            elif not isinstance(value, yaml.MappingNode):
                raise BadInput(f"{place(path, value)}: << takes one mapping")
            num_nodes = _check(value, path, depth + 1, num_nodes)
    else:
        for entry in node.value:
            num_nodes = _check(entry, path, depth + 1, num_nodes)
    return num_nodes


def _check_scalar(node: Any, path: Path) -> None:
    is_plain = node.style is None
    wanted = _OURS.resolve(yaml.ScalarNode, node.value, (is_plain, not is_plain))
    if node.tag != wanted:
        raise BadInput(f"{place(path, node)}: {_tag(node)} is refused: write the value without it")
    usual = _YAML_1_1.resolve(yaml.ScalarNode, node.value, (is_plain, not is_plain))
    meaning = _MEANINGS.get(usual.removeprefix(_TAG))
    if meaning is not None and (usual != wanted or usual == _TAG + "merge"):
        raise BadInput(f"{place(path, node)}: {one_line(node.value)} is {meaning}")
    if node.value == "???":
        raise BadInput(f"{place(path, node)}: ??? stands for a value that is missing; write one")


def _check_keys(keys: list[Any], path: Path) -> None:
    seen = set()
    for key in keys:
        is_text = isinstance(key, yaml.ScalarNode) and key.tag in (_TAG + "str", _TAG + "merge")
        if not is_text or not key.value:
            name = one_line(str(key.value)) if isinstance(key, yaml.ScalarNode) else "a list"
            raise BadInput(f"{place(path, key)}: {name or 'an empty text'} cannot be a key")
        if key.value in seen:
            raise BadInput(f"{place(path, key)}: {one_line(key.value)} stands there twice")
        seen.add(key.value)


def _tag(node: Any) -> str:
    """As it is written: !!bool, !name."""
    return one_line(str(node.tag).replace(_TAG, "!!"))
