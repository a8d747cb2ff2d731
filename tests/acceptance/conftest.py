from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import discovery, plugins
from bench.discovery import Member
from bench.templates import write

Make = Callable[..., Member]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """`make("mitigation", (before, after), ...)`: what `bench new` writes, with these edits of its
    file and YAML."""

    def written(kind: str, *edits: tuple[str, str]) -> Member:
        file, yaml, _ = write(kind, "mine", tmp_path)
        for before, after in edits:
            found = [path for path in (file, yaml) if before in path.read_text()]
            assert found, f"the template holds no {before!r}"
            for path in found:
                path.write_text(path.read_text().replace(before, after))
        plugins.name_files([file])
        return discovery.member(kind, "mine")

    yield written
    plugins.forget_files()
