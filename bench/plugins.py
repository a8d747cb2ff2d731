"""Where members come from beside this repository: installed packages, and files that are named.

A package says so by an entry point of the group `bench.members` whose value is its name, and is
laid out as bench is: mitigations/NAME.py, conf/mitigation/NAME.yaml, and so on for the other kinds;
its conf/experiment/ counts too. A file is named on the command line, --plugin NAME.py, with its
defaults in NAME.yaml beside it. Nothing is imported here, and nothing is loaded from the current
folder by itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from bench.plain_text import one_line
from bench.records import BadInput

GROUP = "bench.members"

_files: dict[Path, str] = {}  # whole path -> as it was named


@dataclass(frozen=True)
class Package:
    """An installed package that holds members."""

    name: str
    folder: Path

    @property
    def conf(self) -> Path:
        return self.folder / "conf"


def packages() -> tuple[Package, ...]:
    """Those whose entry points are installed and that are there, by name."""
    return tuple(package for _, package in _declared() if package is not None)


def orphans() -> tuple[str, ...]:
    """What is wrong with each entry point whose package is not there, in one line. Of which members
    it speaks nobody knows, so that it keeps no command from those that there are."""
    return tuple(
        f"entry point {one_line(point)}: {one_line(name)} is not the name of an installed package; "
        "reinstall or remove what declares it"
        for (name, point), package in _declared()
        if package is None
    )


@cache
def _declared() -> tuple[tuple[tuple[str, str], Package | None], ...]:
    """((name, entry point), package) by name."""
    names = {point.value: f"{point.name} of {GROUP}" for point in entry_points(group=GROUP)}
    return tuple(((name, names[name]), _package(name)) for name in sorted(names))


def files() -> tuple[Path, ...]:
    """The files named so far, in that order."""
    return tuple(_files)


def name_files(paths: Iterable[Path]) -> None:
    """Make these files members. Raises BadInput for one that cannot be read as Python source."""
    for path in paths:
        if path.suffix != ".py" or not path.stem.isidentifier() or path.stem.startswith("_"):
            raise BadInput(
                f"--plugin {one_line(str(path))}: must be one file NAME.py, NAME made of letters, "
                "digits and _"
            )
        if not path.is_file():
            raise BadInput(f"--plugin {one_line(str(path))}: there is no such file")
        _files.setdefault(path.resolve(), str(path))


def as_options() -> str:
    """What to add to a command so that it knows the same files."""
    return "".join(f" --plugin {shlex.quote(name)}" for name in _files.values())


def forget_files() -> None:
    _files.clear()


def _package(name: str) -> Package | None:
    # A name with dots would have its parents imported.
    found = find_spec(name) if name.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        return None
    return Package(name, Path(next(iter(found.submodule_search_locations))))
