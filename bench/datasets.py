"""Where data sets are looked for, and how they are checked: files of others, trusted in nothing.

A data set NAME (fashion-mnist, mnist, text/TITLE) is looked for in $BENCH_DATA, in
~/.local/share/exploding-gradient-benchmark and in /usr/share/datasets, never in the current folder;
the first of them that holds it counts. A task names the data set that it needs in a literal class
variable `dataset`, in which {setting} stands for a setting's value: "text/{text}".

The images of MNIST and its successors are four IDX files, plain or .gz: big-endian, a magic number
0x0000 08 0D (bytes, D dimensions), D lengths of 4 bytes, then the bytes (LeCun, Cortes & Burges).
Other numbers of images than the published ones are taken as they are: `digest` tells them apart.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.paths import PACKAGE
from bench.plain_text import one_line
from bench.records import BadInput

VARIABLE = "BENCH_DATA"
OURS = Path("~/.local/share/exploding-gradient-benchmark")
DEBIAN = Path("/usr/share/datasets")
EMBEDDED = PACKAGE / "tasks" / "data"
"""Texts that the package carries; they come before all others of their name, so that a default
means the same everywhere."""

IMAGES = {
    "fashion-mnist": "apt-get install dataset-fashion-mnist",
    "mnist": "put the four files {files} into {ours}",
}
"""Name -> how to come by it."""
FILES = {
    "training images": "train-images-idx3-ubyte",
    "training labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}
SIDE, CLASSES = 28, 10
LEAST_IMAGES = 6  # of which the last sixth is the validation part
LEAST_TEXT = 10_000  # characters, so that the smaller parts of a text hold a few sentences
MOST_BYTES = 2**30
"""Of a file as read: a .gz of a few kilobytes can hold terabytes."""


@dataclass(frozen=True)
class Images:
    """uint8 pixels [N, 28, 28] and labels [N] of the two files that are published."""

    training: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def named(fact: str, settings: Mapping[str, Any]) -> str:
    """The data set that a task's `dataset` means, given its settings."""
    return fact.format_map(settings)


def problem(name: str) -> str:
    """Why the data set cannot be used, in one line; nothing where it can."""
    try:
        digest(name)
    except BadInput as error:
        return str(error)
    return ""


def digest(name: str) -> str:
    """SHA-256 over the decompressed contents: 64 hexadecimal digits. BadInput as `problem` says."""
    kind, _, title = name.partition("/")
    if kind == "text":
        return hashlib.sha256(text(title).encode()).hexdigest()
    return _image_digest(_folder(name))


def images(name: str) -> Images:
    """Raises BadInput, in one line, where they are missing or not what they should be."""
    return _images(_folder(name))


def text(title: str) -> str:
    """The text TITLE, lines of ASCII. BadInput where it is missing or holds anything else."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", title):
        raise BadInput(
            f"text {one_line(title)!r}: a text's name holds letters, digits, _ and - alone; "
            "give the name of a file NAME.txt without its ending"
        )
    embedded = EMBEDDED / f"{title}.txt.gz"
    if embedded.is_file():
        return _text(embedded)
    for place in _places():
        file = _variant(place / "text" / f"{title}.txt")
        if file is not None:
            return _text(file)
    raise BadInput(
        f"data set text/{title}: there is no {title}.txt (or .txt.gz) in {_looked_in('text')}; "
        f"put it there (the package itself holds: {', '.join(_embedded())})"
    )


def _embedded() -> list[str]:
    return sorted(path.name.removesuffix(".txt.gz") for path in EMBEDDED.glob("*.txt.gz"))


def _places() -> list[Path]:
    """The folders that hold a folder for each data set, as far as they are absolute."""
    given = os.environ.get(VARIABLE, "")
    # os.path: unlike pathlib's it takes the name of an unknown user for a folder's.
    paths = [Path(os.path.expanduser(place)) for place in (given, OURS, DEBIAN) if place != ""]
    if given and not (paths[0].is_absolute() and given.isprintable()):
        raise BadInput(
            f"{VARIABLE}={one_line(given)}: must be a whole path, since nothing is looked for in "
            "the current folder; begin it with /"
        )
    return [path for path in paths if path.is_absolute()]


def _looked_in(name: str) -> str:
    unset = "" if os.environ.get(VARIABLE) else f" (${VARIABLE} is not set)"
    return ", ".join(str(place / name) for place in _places()) + unset


def _folder(name: str) -> Path:
    """The first that holds any of the four files: half a data set is damaged, not missing."""
    if name not in IMAGES:
        raise BadInput(f"data set {one_line(name)}: there is none such; one of {', '.join(IMAGES)}")
    for place in _places():
        if any(_variant(place / name / file) for file in FILES.values()):
            return place / name
    remedy = IMAGES[name].format(files=", ".join(FILES.values()), ours=OURS / name)
    raise BadInput(f"data set {name}: not found in {_looked_in(name)}; {remedy}")


def _variant(path: Path) -> Path | None:
    """The file itself, or with .gz; None where there is neither."""
    for file in (path, path.with_name(f"{path.name}.gz")):
        try:
            if file.is_file():
                return file
        except OSError:  # a folder that may not be looked into
            continue
    return None


@lru_cache(maxsize=2)
def _images(folder: Path) -> Images:
    parts = {}
    for part in ("training", "test"):
        pixels = _idx(_file(folder, f"{part} images"), (None, SIDE, SIDE))
        labels_file = _file(folder, f"{part} labels")
        labels = _idx(labels_file, (None,))
        if len(pixels) != len(labels):
            raise BadInput(
                f"{labels_file}: {len(labels)} labels for {len(pixels)} images; {_again(folder)}"
            )
        if labels.max() >= CLASSES:
            raise BadInput(
                f"{labels_file}: label {labels.max()} at position {labels.argmax()} is not one of "
                f"0 to {CLASSES - 1}; {_again(folder)}"
            )
        parts[part] = pixels, labels
    return Images(**parts)


@lru_cache(maxsize=4)
def _image_digest(folder: Path) -> str:
    found = _images(folder)
    sha = hashlib.sha256()
    for array in (*found.training, *found.test):
        sha.update(f"{array.shape}".encode() + array.tobytes())
    return sha.hexdigest()


def _file(folder: Path, which: str) -> Path:
    file = _variant(folder / FILES[which])
    if file is None:
        raise BadInput(
            f"{folder / FILES[which]}: missing, plain and as .gz, while others of the data set are "
            f"there; {_again(folder)}"
        )
    return file


def _again(folder: Path) -> str:
    if folder.is_relative_to(DEBIAN):
        return f"apt-get install --reinstall dataset-{folder.name}"
    return f"put the published file there again, or remove {folder} to have the next place searched"


def _idx(file: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """uint8 of `shape`, in which None stands for any length."""
    remedy = _again(file.parent)
    data = _contents(file, remedy)
    header = 4 + 4 * len(shape)
    magic = struct.pack(">I", 0x0800 + len(shape))
    if data[:4] != magic:
        raise BadInput(
            f"{file}: begins with {data[:4].hex() or 'nothing'} and not with {magic.hex()}, so it "
            f"is no IDX file of bytes in {len(shape)} dimensions; {remedy}"
        )
    if len(data) < header:
        raise BadInput(f"{file}: ends within its header; {remedy}")
    lengths = struct.unpack(f">{len(shape)}I", data[4:header])
    for length, wanted in zip(lengths, shape, strict=True):
        if wanted is not None and length != wanted:
            sides = " x ".join(map(str, lengths[1:]))
            raise BadInput(f"{file}: images of {sides} pixels, not {SIDE} x {SIDE}; {remedy}")
    if lengths[0] < LEAST_IMAGES:
        raise BadInput(f"{file}: holds {lengths[0]} entries, fewer than {LEAST_IMAGES}; {remedy}")
    expected = math.prod(lengths)
    if len(data) - header != expected:
        raise BadInput(
            f"{file}: {len(data) - header} bytes of data where its header tells of {expected}; "
            f"{remedy}"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(lengths)


@lru_cache(maxsize=4)
def _text(file: Path) -> str:
    remedy = "make it plain ASCII, with lines that end in \\n"
    data = _contents(file, "put a whole copy there")
    try:
        found = data.decode("ascii").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{file}, line {line}: holds the byte {data[error.start]:#04x}; {remedy}"
        ) from error
    odd = re.search(r"[^\n\x20-\x7e]", found)
    if odd:
        line = found.count("\n", 0, odd.start()) + 1
        raise BadInput(f"{file}, line {line}: holds the character {odd[0]!r}; {remedy}")
    if len(found) < LEAST_TEXT:
        raise BadInput(
            f"{file}: {len(found)} characters, fewer than {LEAST_TEXT}; take a longer text"
        )
    return found


def _contents(file: Path, remedy: str) -> bytes:
    """The file's bytes, decompressed where it ends in .gz."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rb") as stream:
            data = bytes(stream.read(MOST_BYTES + 1))
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(f"{file}: cannot be read: {one_line(reason)}; {remedy}") from error
    if len(data) > MOST_BYTES:
        raise BadInput(f"{file}: more than {MOST_BYTES:,} bytes; {remedy}")
    return data
