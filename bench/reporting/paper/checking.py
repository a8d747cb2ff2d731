"""What is wrong with a paper: generated files that are stale, and a text that goes beyond them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from bench.reporting.files import MANIFEST
from bench.reporting.paper.files import GENERATED, TEXT, generated, manuscript
from bench.reporting.paper.macros import all_macros
from bench.reporting.paper.manuscript import Manuscript
from bench.reporting.paper.material import Material
from bench.settings import nearest


def problems(materials: Sequence[Material], paper: Path, processes: int = 1) -> Iterator[str]:
    """A line for each thing that is wrong in the folder `paper`. Raises BadInput where its text
    cannot be read."""
    text = manuscript(paper)
    numbers = all_macros(materials)
    files = dict(generated(materials, numbers, text, processes))
    yield from faults(text, paper / TEXT, numbers, files)
    yield from stale(paper / GENERATED, files.items())


def stale(folder: Path, expected: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """A line for each file of `folder` that is not what the stores give."""
    names = set()
    for name, content in expected:
        names.add(name)
        path = folder / name
        if not path.is_file():
            yield f"{path}: missing; run: make paper"
        elif path.read_bytes() != content:
            yield f"{path}: stale, the stored runs give another; run: make paper"
    for name in sorted(_files(folder) - names - {MANIFEST}):
        yield f"{folder / name}: not generated from the stored runs; remove it"


def faults(
    found: Manuscript, text: Path, results: Collection[str], files: Collection[str]
) -> Iterator[str]:
    """A line for each fault of the text, in its order.

    `results` are the names of numbers, `files` those that there are to include.
    """
    lines = [
        *((fault.line, fault.problem) for fault in found.faults),
        *_unknown(found, results),
        *_not_generated(found, files),
    ]
    for number, problem in sorted(lines):
        yield f"{text}:{number}: {problem}"


def _unknown(found: Manuscript, results: Collection[str]) -> Iterator[tuple[int, str]]:
    for used in found.results:
        if used.name not in results:
            hint = nearest(used.name, list(results))
            yield used.line, f"\\result{{{used.name}}}: there is no such number{hint}"


def _not_generated(found: Manuscript, files: Collection[str]) -> Iterator[tuple[int, str]]:
    there = {f"{GENERATED}/{name}" for name in files}
    for one in found.inclusions:
        if not there & set(one.paths):
            yield one.line, f"{one.name}: included, and no table or figure of the stored runs"


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
