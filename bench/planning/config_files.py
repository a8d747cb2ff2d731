"""The YAML files under conf/: which there are, and whether Hydra may be handed them.

They are read here once before Hydra reads them, so that what is wrong in one is told with its file
and line, and nothing but plain data goes further.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bench.planning.plain_data import check_key, check_text, one_line
from bench.records import BadInput
from bench.settings import nearest

_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "merge")
}


def options(conf: Path, group: str) -> dict[str, str]:
    """Option -> the first comment of its file, for every file of a group."""
    return {path.stem: _summary(path) for path in sorted((conf / group).glob("*.yaml"))}


def option_file(conf: Path, group: str, name: str) -> Path:
    """Raises BadInput with the nearest name where the group has no such option."""
    known = options(conf, group)
    if name not in known:
        hint = nearest(name, list(known)) or f"; there are: {', '.join(known) or 'none'}"
        raise BadInput(f"{group}={one_line(name)}: there is no such {group}{hint}")
    return conf / group / f"{name}.yaml"


def commented_keys(path: Path) -> list[tuple[str, str, str]]:
    """(key, value, comment) of every line `key: value  # comment` at the left margin of a file."""
    found = re.findall(r"^(\w+): *(\S.*?) +# (.+)$", path.read_text("utf-8"), re.M)
    return [(key, value, comment) for key, value, comment in found]


def check_file(path: Path, package: str | None = None, *, builds_on: bool = False) -> Any:
    """The file's tree of YAML nodes (None of an empty file): plain data, under `package`.

    Only a file that `builds_on` others may have a defaults list.
    Raises BadInput with file and line.
    """
    try:
        text = path.read_text("utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise BadInput(f"{short(path)}{line}: {one_line(error.problem or str(error))}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{short(path)}: cannot be read as YAML: {one_line(str(error))}") from error
    except OSError as error:
        raise BadInput(f"{short(path)}: cannot be read: {error.strerror}") from error
    if package is not None and not _has_package(text, package):
        raise BadInput(f"{short(path)}: its first line must be: # @package {package}")
    if tree is not None:
        if not isinstance(tree, yaml.MappingNode):
            raise BadInput(f"{place(path, tree)}: must hold KEY: VALUE lines")
        _check_node(tree, path, done=set())
        if not builds_on and any(key.value == "defaults" for key, _ in tree.value):
            raise BadInput(f"{short(path)}: only an experiment may have a defaults list")
    return tree


def place(path: Path, node: Any) -> str:
    return f"{short(path)}, line {node.start_mark.line + 1}"


def short(path: Path) -> str:
    """conf/task/adding.yaml: enough to find it, and nothing of whose machine it is."""
    parts = path.parts
    start = len(parts) - 1 - parts[::-1].index("conf") if "conf" in parts else -2
    return Path(*parts[start:]).as_posix()


def _has_package(text: str, package: str) -> bool:
    header = re.match(r"(?:\s*#.*\n?)*", text)
    wanted = rf"^#\s*@package\s+{re.escape(package)}\s*$"
    return header is not None and re.search(wanted, header.group(), re.M) is not None


def _check_node(node: Any, path: Path, done: set[int]) -> None:
    if id(node) in done:  # an alias
        return
    done.add(id(node))
    if node.tag not in _PLAIN_TAGS:
        raise BadInput(f"{place(path, node)}: {node.tag} is refused: a config is plain data")
    if isinstance(node, yaml.MappingNode):
        _check_keys([key for key, _ in node.value], path)
        for _, value in node.value:
            _check_node(value, path, done)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _check_node(entry, path, done)
    else:
        check_text(node.value, place(path, node))


def _check_keys(keys: list[Any], path: Path) -> None:
    seen = set()
    for key in keys:
        name, where = str(key.value), place(path, key)
        if name in seen:
            raise BadInput(f"{where}: {name} stands there twice")
        seen.add(name)
        if name == "hydra":
            raise BadInput(f"{where}: Hydra's own settings do nothing here; leave them out")
        check_key(name, f"{where}: {name}")
        check_text(name, where)


def _summary(path: Path) -> str:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return line[2:].rstrip(".")
    return ""
