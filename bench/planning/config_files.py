"""The YAML files under conf/: which there are, and whether Hydra may be handed them.

They are read here once before Hydra reads them, so that what is wrong in one is told with its file
and line, and nothing but plain data goes further.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bench import plugins
from bench.paths import visible_files
from bench.plain_text import one_line
from bench.plain_yaml import place, read, short, text_of
from bench.planning.plain_data import check_key, check_text
from bench.records import BadInput
from bench.settings import nearest


def options(conf: Path, group: str) -> dict[str, str]:
    """Option -> the first comment of its file, for every file of a group."""
    return {path.stem: _summary(path) for path in _files(conf, group)}


def option_file(conf: Path, group: str, name: str) -> Path:
    """Raises BadInput with the nearest name where the group has no such option."""
    known = {path.stem: path for path in _files(conf, group)}
    if name not in known:
        there_are = f"; there are: {one_line(', '.join(known) or 'none', 300)}"
        hint = nearest(name, list(map(one_line, known))) or there_are
        raise BadInput(f"{group}={one_line(name)}: there is no such {group}{hint}")
    return known[name]


def _files(conf: Path, group: str) -> list[Path]:
    """Those of `conf`, and the experiments of installed plug-ins, which stand behind them."""
    found = visible_files(conf / group, ".yaml")
    if group == "experiment":
        known = {path.stem for path in found}
        for package in plugins.packages():
            more = visible_files(package.conf / group, ".yaml")
            found += [path for path in more if path.stem not in known]
    return found


def commented_keys(path: Path) -> list[tuple[str, str, str]]:
    """(key, value, comment) of every line `key: value  # comment` at the left margin of a file."""
    found = re.findall(r"^(\w+): *(\S.*?) +# (.+)$", text_of(path), re.M)
    return [(key, value, comment) for key, value, comment in found]


def check_file(path: Path, package: str | None = None, *, builds_on: bool = False) -> Any:
    """The file's tree of YAML nodes (None of an empty file): plain data, under `package`.

    Only a file that `builds_on` others may have a defaults list.
    Raises BadInput with file and line.
    """
    text, tree = read(path)
    if package is not None and not _has_package(text, package):
        raise BadInput(f"{short(path)}: its first line must be: # @package {package}")
    if tree is not None:
        _check_node(tree, path, done=set())
        if not builds_on and any(key.value == "defaults" for key, _ in tree.value):
            raise BadInput(f"{short(path)}: only an experiment may have a defaults list")
    return tree


def _has_package(text: str, package: str) -> bool:
    header = re.match(r"(?:\s*#.*\n?)*", text)
    wanted = rf"^#\s*@package\s+{re.escape(package)}\s*$"
    return header is not None and re.search(wanted, header.group(), re.M) is not None


def _check_node(node: Any, path: Path, done: set[int]) -> None:
    if id(node) in done:  # an alias
        return
    done.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _check_key(key, path)
            _check_node(value, path, done)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _check_node(entry, path, done)
    else:
        check_text(node.value, place(path, node))


def _check_key(key: Any, path: Path) -> None:
    name, where = key.value, place(path, key)
    if name == "hydra":
        raise BadInput(f"{where}: Hydra's own settings do nothing here; leave them out")
    check_key(name, f"{where}: {one_line(name)}")
    check_text(name, where)
    if "." in name:
        nested = one_line(": {".join(name.split(".")))
        raise BadInput(f"{where}: {one_line(name)}: in a file keys nest, {nested}: ...")


def _summary(path: Path) -> str:
    for line in text_of(path).splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return one_line(line[2:], 200).rstrip(".")
    return ""
