"""A folder of generated files that changes all at once, and leaves none of its old files behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from bench.records import BadInput

MANIFEST = "files.txt"
"""Lists what the folder's last report wrote: only these files are ever removed."""


def publish(folder: Path, files: Iterable[tuple[str, bytes]]) -> list[Path]:
    """Writes `files` ("tables/events.csv", content) into `folder`, and returns their paths.

    They are made beside one another in a hidden folder first, and put in place when the last one is
    there: an error or a kill before that changes nothing. Files of the report before that are not
    among these are removed; files from elsewhere stay. Raises BadInput where `folder` cannot be
    written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as staging:
            names = [_stage(Path(staging), name, content) for name, content in files]
            _stage(Path(staging), MANIFEST, "".join(f"{name}\n" for name in names).encode())
            outdated = set(_last_manifest(folder)) - set(names)
            for name in [*names, MANIFEST]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(staging) / name, folder / name)
            for name in sorted(outdated):
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(
            f"{folder}: the report cannot be written there ({error.strerror}); "
            "it must be a folder, or not exist yet"
        ) from error
    return [folder / name for name in names]


def _stage(staging: Path, name: str, content: bytes) -> str:
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


def _last_manifest(folder: Path) -> list[str]:
    """Names that stay inside the folder: a manifest that was tampered with removes nothing else."""
    try:
        names = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    return [name for name in names if _is_inside(PurePosixPath(name))]


def _is_inside(path: PurePosixPath) -> bool:
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
