"""What `bench new KIND NAME` writes: a member that works, its defaults, its test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from bench import discovery
from bench.plain_text import one_line
from bench.records import BadInput

FOLDER = Path(__file__).parent
FILES = {
    "{kind}.py.txt": "{name}.py",
    "{kind}.yaml.txt": "{name}.yaml",
    "test.txt": "test_{name}.py",
}
"""Template -> file."""


def write(kind: str, name: str, folder: Path) -> list[Path]:
    """The files of a new member in `folder`, which must not be there; the member's file first.

    Raises BadInput for a name that is none or taken, or a file that is there.
    """
    if keyword.iskeyword(name):
        raise BadInput(f"bench new {kind} {name}: a word of Python's own; choose another name")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise BadInput(
            f"bench new {kind} {one_line(name)}: a name is small letters, digits and _, and "
            "begins with a letter"
        )
    if name in discovery.members(kind):
        raise BadInput(f"bench new {kind} {name}: there is one already; choose another name")
    words = {
        "name": name,
        "kind": kind,
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "title": name.replace("_", " ").capitalize(),
    }
    texts = {}
    for template, file in FILES.items():
        path = folder / file.format(name=name)
        if path.exists():
            raise BadInput(f"{path} is there already; choose another name, or move it away")
        texts[path] = Template((FOLDER / template.format(kind=kind)).read_text()).substitute(words)
    for path, text in texts.items():
        path.write_text(text)
    return list(texts)
