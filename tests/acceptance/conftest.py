from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from bench import discovery, plugins
from bench.acceptance import portability
from bench.discovery import Member
from bench.records import RunSpec
from bench.templates import write
from bench.training.run import run

Make = Callable[..., Member]
DIGESTS = portability.digests


@pytest.fixture(autouse=True)
def no_process_but_the_other_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a comparison of processors runs here is run in this process, and what it runs elsewhere
    once for each test: loading torch takes longer than the runs."""
    known: dict[str, list[str]] = {}

    def digests(specs: Sequence[RunSpec], environment: Mapping[str, str]) -> list[str]:
        if not environment:
            return [run(spec).digest for spec in specs]
        key = " ".join(spec.run_id for spec in specs)
        if key not in known:
            known[key] = DIGESTS(specs, environment)
        return known[key]

    monkeypatch.setattr(portability, "digests", digests)


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
