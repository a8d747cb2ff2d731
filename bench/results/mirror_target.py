"""Where runs are mirrored to: the mode, the project and the server of Weights & Biases.

Worked out as wandb itself would, but without importing it: the driver has no two seconds for that.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import netrc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from bench.records import BadInput
from bench.settings import nearest

Mode: TypeAlias = Literal["offline", "online"]
MODES: tuple[Mode, ...] = get_args(Mode)
PROJECT = "exploding-gradient-benchmark"
_SERVER = "https://api.wandb.ai"
_OLD_NAMES = {"dryrun": "offline", "run": "online"}


@dataclass(frozen=True)
class Target:
    mode: Mode
    project: str

    @property
    def key(self) -> str:
        """Names the target in the ledger; the addresses in it are nobody's business, so a hash."""
        entity = os.environ.get("WANDB_ENTITY", "")
        place = [self.project] if self.mode == "offline" else [self.project, entity, server()]
        return f"{self.mode} {hashlib.sha256(json.dumps(place).encode()).hexdigest()[:16]}"


def target(mode: str | None = None, project: str | None = None) -> Target:
    """Without a mode: what WANDB_MODE says, else online where there is an account, else offline.

    Raises BadInput for any other mode.
    """
    where = "logger.mode" if mode else "WANDB_MODE"
    wanted = mode or os.environ.get("WANDB_MODE") or ("online" if _has_account() else "offline")
    wanted = _OLD_NAMES.get(wanted, wanted)
    for known in MODES:
        if wanted == known:
            return Target(known, project or os.environ.get("WANDB_PROJECT") or PROJECT)
    hint = nearest(wanted, list(MODES))
    raise BadInput(f"{where}={wanted}: must be one of {', '.join(MODES)}{hint}")


def server() -> str:
    """The address of the server; `wandb login --host` keeps it in a file."""
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path("~/.config/wandb/settings").expanduser())
    except (configparser.Error, UnicodeDecodeError):
        settings.clear()
    stored = settings.get("default", "base_url", fallback=_SERVER)
    return os.environ.get("WANDB_BASE_URL", stored).rstrip("/")


def _has_account() -> bool:
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    names = [os.environ["NETRC"]] if os.environ.get("NETRC") else ["~/.netrc", "~/_netrc"]
    for name in names:
        try:
            known = netrc.netrc(Path(name).expanduser()).authenticators(urlsplit(server()).netloc)
        except (OSError, netrc.NetrcParseError):
            continue
        if known is not None and known[2]:
            return True
    return False
