"""Which keys of a config speak of something that there is and that is selected."""

from __future__ import annotations

from typing import Any

from bench.discovery import KINDS
from bench.plain_text import one_line
from bench.planning.composing import Composed
from bench.planning.plain_data import shown
from bench.planning.vocabulary import GROUP_SETTINGS, check_key_exists
from bench.records import BadInput


def keep_known(config: Composed) -> dict[str, Any]:
    """The values that count: without what an experiment says of members it did not get to use.

    Raises BadInput for a key that there is not, with the nearest that there is, and for one that
    is given to no purpose.
    """
    chosen = {
        f"{kind}.{member.name}"
        for kind, members in config.selection.members.items()
        for member in members
    }
    kept = {}
    for key, value in config.values.items():
        check_key_exists(key, one_line(config.where(key)))
        group, _, rest = key.partition(".")
        if group in KINDS and key.rpartition(".")[0] not in chosen:
            if key in config.from_command_line or not config.selection_replaced:
                raise BadInput(_not_selected(group, rest.partition(".")[0], key, config))
        elif group in GROUP_SETTINGS and key not in config.choice_keys:
            if key in config.from_command_line or group not in config.choices_replaced:
                raise BadInput(_no_such_setting(group, key, config))
        else:
            kept[key] = value
    return kept


def _not_selected(kind: str, name: str, key: str, config: Composed) -> str:
    names = ",".join(config.selection.names[kind])
    return (
        f"{config.where(key)}={shown(config.values[key])}: {name} is not selected "
        f"({kind}={names}); select it too, or leave this out"
    )


def _no_such_setting(group: str, key: str, config: Composed) -> str:
    return (
        f"{config.where(key)}={shown(config.values[key])}: {group}={config.choices[group]} has no "
        f"such setting; choose another {group}, or leave this out"
    )
