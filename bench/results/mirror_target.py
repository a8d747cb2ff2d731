"""Where runs are mirrored to: the mode, the project and the server of Weights & Biases.

Worked out as wandb itself would, but without importing it: the driver has no two seconds for that.
An empty variable counts as none.
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
SERVER = "https://api.forge.coreweave.com"
"""wandb's own default: W&B's public cloud under the name that it has had since wandb 0.31."""
_OLD_SERVER = "https://api.wandb.ai"  # the same cloud under its name before
_OLD_MODES = {"dryrun": "offline", "run": "online"}


@dataclass(frozen=True)
class Target:
    """`mode` is None where nothing is to be mirrored, and then `reason` says why."""

    mode: Mode | None
    project: str
    reason: str | None = None

    @property
    def key(self) -> str:
        """Names the target in the ledger; the addresses in it are nobody's business, so a hash."""
        place = [self.project]
        if self.mode == "online":
            # The cloud is one place under either name: what is there need not be sent again.
            address = _OLD_SERVER if server() == SERVER else server()
            place += [os.environ.get("WANDB_ENTITY", ""), address]
        return f"{self.mode} {hashlib.sha256(json.dumps(place).encode()).hexdigest()[:16]}"


def target(mode: str | None = None, project: str | None = None) -> Target:
    """Without a mode: what WANDB_MODE says, else online where there is an account, else offline.

    Raises BadInput for any other mode that is given. WANDB_MODE was meant for other programs too,
    so one that cannot be used (disabled, shared, a slip) stops nothing but the mirror.
    """
    project = project or os.environ.get("WANDB_PROJECT") or PROJECT
    if mode is not None:
        return Target(_known(mode, "logger.mode"), project)
    if wanted := os.environ.get("WANDB_MODE"):
        try:
            return Target(_known(wanted, "WANDB_MODE"), project)
        except BadInput as error:
            return Target(None, project, str(error))
    return Target("online" if _has_account() else "offline", project)


def server() -> str:
    """The address of the server, without a slash at its end."""
    return (os.environ.get("WANDB_BASE_URL") or _stored("base_url") or SERVER).rstrip("/")


def _known(wanted: str, where: str) -> Mode:
    for known in MODES:
        if _OLD_MODES.get(wanted, wanted) == known:
            return known
    hint = nearest(wanted, list(MODES))
    raise BadInput(f"{where}={wanted}: must be one of {', '.join(MODES)}{hint}")


def _has_account() -> bool:
    variables = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
    return any(map(os.environ.get, variables)) or bool(_stored("api_key")) or _is_in_netrc()


def _is_in_netrc() -> bool:
    """In the first file that there is, which may name the cloud by either of its names."""
    names = [os.environ["NETRC"]] if os.environ.get("NETRC") else ["~/.netrc", "~/_netrc"]
    # os.path: unlike pathlib's it takes the home of a user without one for a folder's name.
    found = next(filter(os.path.exists, map(os.path.expanduser, names)), None)
    if found is None:
        return False
    try:
        known = netrc.netrc(found)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False
    addresses = [SERVER, _OLD_SERVER] if server() == SERVER else [server()]
    logins = (known.authenticators(urlsplit(address).netloc) for address in addresses)
    return bool(next((login[2] for login in logins if login is not None), None))


def _stored(name: str) -> str | None:
    """What `wandb login --host` or `wandb init` keep in a file, of which that here comes first."""
    folder = os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb"
    for file in (Path("wandb"), Path(os.path.expanduser(folder))):
        settings = configparser.ConfigParser(interpolation=None)
        try:
            settings.read(file / "settings")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue
        if value := settings.get("default", name, fallback=None):
            return value
    return None
