"""Defaults lists: what conf/config.yaml and an experiment draw in, checked before Hydra does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bench.plain_text import one_line
from bench.plain_yaml import place, short
from bench.planning.config_files import check_file, option_file
from bench.planning.vocabulary import GROUP_SETTINGS
from bench.records import BadInput


def check_config(conf: Path) -> None:
    """Checks conf/config.yaml and the protocol, executor and logger that it names."""
    path = conf / "config.yaml"
    for node in _defaults(check_file(path, builds_on=True), path):
        for key, option in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in GROUP_SETTINGS:
                check_file(option_file(conf, key.value, str(option.value)))


def check_experiment(conf: Path, name: str, above: tuple[str, ...] = ()) -> bool:
    """Checks an experiment's file and all that it draws in; whether it builds on another.

    Raises BadInput with file and line, also where experiments build on one another in a circle.
    """
    path = option_file(conf, "experiment", name)
    if name in above:
        way = one_line(" and ".join(above))
        raise BadInput(f"{short(path)}: builds on itself, by way of {way}")
    tree = check_file(path, package="_global_", builds_on=True)
    bases = []
    for node in _defaults(tree, path):
        group, option = _default(node, path)
        if group in GROUP_SETTINGS:
            check_file(option_file(conf, group, option))
        elif option != "_self_":
            bases.append(option)
    for base in bases:
        check_experiment(conf, base, (*above, name))
    return bool(bases)


def _defaults(tree: Any, path: Path) -> list[Any]:
    for key, node in tree.value if tree is not None else ():
        if key.value == "defaults":
            if not isinstance(node, yaml.SequenceNode):
                raise BadInput(f"{place(path, node)}: defaults must be a list")
            return list(node.value)
    return []


def _default(node: Any, path: Path) -> tuple[str, str]:
    """(group, option) of one entry: an experiment's name, or `override /protocol: tuned`."""
    if isinstance(node, yaml.ScalarNode):
        return "experiment", _name(node, path)
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, option = node.value[0]
        _, is_override, group = str(key.value).partition("override /")
        if is_override and group in GROUP_SETTINGS and isinstance(option, yaml.ScalarNode):
            return group, _name(option, path)
    raise BadInput(
        f"{place(path, node)}: a defaults list holds names of other experiments, and `override "
        "/protocol: NAME` (or executor, logger); members are selected under grid"
    )


def _name(node: Any, path: Path) -> str:
    if not node.tag.endswith(":str"):
        raise BadInput(f"{place(path, node)}: {one_line(node.value)} is no text; put it in quotes")
    return str(node.value)
