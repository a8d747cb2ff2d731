"""conf/ and a command line -> one plain config, put together by Hydra's compose API.

Hydra composes twice: without members, to learn what the experiment selects and sets by itself; then
with the members that are selected. What stands on the command line is laid over the result here,
because Hydra's compose takes neither its own commas nor `a+b`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from bench import plain_yaml, plugins
from bench.discovery import KINDS
from bench.paths import CONF
from bench.plain_text import one_line
from bench.planning import config_files, selection
from bench.planning.drawn_in import check_config, check_experiment
from bench.planning.overrides import Overrides
from bench.planning.plain_data import flatten, shown
from bench.planning.vocabulary import GROUP_SETTINGS
from bench.records import BadInput


@dataclass(frozen=True)
class Composed:
    """A config, and where its values come from."""

    selection: selection.Selection
    values: Mapping[str, Any]  # dotted key -> value; a list where several are to be tried
    choices: Mapping[str, str | None]  # experiment, protocol, executor, logger -> option
    from_command_line: frozenset[str]  # dotted keys
    from_experiment: frozenset[str]  # dotted keys of members' settings
    defaults: Mapping[str, Any]  # dotted keys of members' settings -> what their own files say
    selection_replaced: bool
    """The members are not those the experiment's file names, so that it may speak of others."""
    choice_keys: frozenset[str]  # dotted keys of the protocol, executor and logger chosen
    choices_replaced: frozenset[str]  # the groups whose option the command line names
    conf: Path

    def where(self, key: str) -> str:
        """`key`, after the file that gives it its value."""
        if key in self.from_command_line:
            return key
        kind, _, rest = key.partition(".")
        if kind in KINDS and key not in self.from_experiment:
            name = rest.partition(".")[0]
            file = next((m.yaml for m in self.selection.members[kind] if m.name == name), None)
            return f"{plain_yaml.short(file or self.conf / kind / name)}: {key}"
        return _source(self.choices) + key


def compose(overrides: Overrides, conf: Path) -> Composed:
    """Raises BadInput for what is wrong with a file, and for names that there are not."""
    builds_on_another = _check_files(overrides, conf)
    chosen = [
        f"{group}={_quoted(name)}" for group, name in overrides.choices.items() if name is not None
    ]
    alone, choices = _compose(conf, chosen)
    choice_keys = {
        f"{group}.{key}"
        for group in GROUP_SETTINGS
        for key in _keys(config_files.option_file(conf, group, str(choices[group])))
    }
    selected = selection.select(
        {kind: alone.get(f"grid.{kind}") for kind in KINDS} | dict(overrides.grid),
        {kind: ("" if kind in overrides.grid else _source(choices)) + kind for kind in KINDS},
    )
    defaults: dict[str, Any] = {}
    from_outside: dict[str, Any] = {}  # Hydra finds no plug-in's file
    for kind, members in selected.members.items():
        own = []
        for member in members:
            key, is_own = f"{kind}.{member.name}", member.yaml.is_relative_to(CONF)
            file = config_files.option_file(conf, kind, member.name) if is_own else member.yaml
            config_files.check_file(file, package=key)
            found = {f"{key}.{name}": value for name, value in plain_yaml.values(file).items()}
            defaults |= found
            if is_own:
                own.append(_quoted(member.name))
            else:
                from_outside |= found
        chosen.append(f"{kind}=[{','.join(own)}]")
    values, _ = _compose(conf, chosen)
    return Composed(
        selected,
        from_outside | values | dict(overrides.values),
        choices,
        from_command_line=frozenset(overrides.values),
        from_experiment=frozenset(key for key in alone if key.partition(".")[0] in KINDS),
        defaults=defaults,
        selection_replaced=bool(overrides.grid) or builds_on_another,
        choice_keys=frozenset(choice_keys),
        choices_replaced=frozenset(overrides.choices),
        conf=conf,
    )


def _check_files(overrides: Overrides, conf: Path) -> bool:
    """Checks the files the command line chooses; whether the experiment builds on another."""
    check_config(conf)
    builds_on_another = False
    for group, name in overrides.choices.items():
        if group == "experiment":
            builds_on_another = name is not None and check_experiment(conf, name)
        else:
            config_files.check_file(config_files.option_file(conf, group, shown(name)))
    return builds_on_another


def _quoted(name: str) -> str:
    """Hydra would read the bare name 2024 as a number."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return str(QuotedString(name, Quote.single).with_quotes())


def _keys(file: Path) -> list[str]:
    tree = config_files.check_file(file)
    return [] if tree is None else [str(key.value) for key, _ in tree.value]


def _source(choices: Mapping[str, str | None]) -> str:
    """What a message about a value from a file begins with."""
    experiment = choices["experiment"]
    return f"experiment {experiment}: " if experiment else ""


def _compose(conf: Path, overrides: list[str]) -> tuple[dict[str, Any], dict[str, str | None]]:
    """(dotted key -> value, with ${key} still in it; group -> option)."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    GlobalHydra.instance().clear()
    try:
        with (
            _interrupts_are_told(),
            _no_plugins(),
            initialize_config_dir(str(conf.resolve()), version_base="1.3"),
        ):
            config = compose("config", [*overrides, *_search_path()], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{plain_yaml.short(conf)}: {one_line(str(error), 200)}") from error
    finally:
        GlobalHydra.instance().clear()
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    choices = plain.pop("hydra")["runtime"]["choices"]
    return {key: value for key, value in flatten("", plain) if value != {}}, choices


def _search_path() -> list[str]:
    """Where Hydra finds the experiments of plug-ins."""
    folders = [_quoted(package.conf.as_uri()) for package in plugins.packages()]
    return [f"hydra.searchpath=[{','.join(folders)}]"] if folders else []


@contextmanager
def _interrupts_are_told() -> Iterator[None]:
    """Where ctrl-C comes amid OmegaConf's work, its `finally` clauses raise errors of their own."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            cause = cause.__context__
        raise


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Hydra imports every `hydra_plugins` it can find, the current directory's too; here it finds
    an empty one."""
    name = "hydra_plugins"
    before = sys.modules.get(name)
    empty = ModuleType(name)
    empty.__path__ = []
    sys.modules[name] = empty
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
