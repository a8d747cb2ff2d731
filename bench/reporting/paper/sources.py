"""The stores that the paper is made from, each under the name that its numbers bear.

    paper/baseline/main/results.sqlite          the numbers without a prefix
    paper/baseline/thresholds/results.sqlite    thresholds.NAME
    paper/baseline/thresholds/2/results.sqlite  of the same source: a folder below is read as one

Each may be packed (results.sqlite.xz). What stands in different sources is never compared or
counted together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.records import BadInput
from bench.reporting.paper.material import MAIN, Material, material
from bench.results.combining import Combined, opened
from bench.results.opening import holds_store
from bench.results.schema import FILE

BASELINE = Path("paper") / "baseline"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Source:
    name: str
    folders: Sequence[Path]  # of stores that are read as one


def named(arguments: Sequence[str], baseline: Path = BASELINE) -> list[Source]:
    """The sources of a command line: folders, or NAME=FOLDER; without any, those of `baseline`.

    The first is the main one, unless it is given another name; the others are named by their
    folders. Raises BadInput where there is no store, or one name is given twice.
    """
    found = [_argument(text, index) for index, text in enumerate(arguments)]
    found = found or _of_baseline(baseline)
    names = [source.name for source in found]
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name}: a source is named by letters, digits, - and _: give NAME=DIR")
        if names.count(name) > 1:
            raise BadInput(f"{name}: two sources have this name; give NAME=DIR")
    return found


def _argument(text: str, index: int) -> Source:
    name, equals, folder = text.partition("=")
    if equals and _NAME.fullmatch(name):
        return Source(name, _stores(Path(folder)))
    path = Path(text)
    return Source(MAIN if index == 0 else path.resolve().name, _stores(path))


def _of_baseline(baseline: Path) -> list[Source]:
    """`baseline` itself where it is a store, else its folders, the main one first."""
    if holds_store(baseline):
        return [Source(MAIN, [baseline])]
    folders = {path.name: path for path in _below(baseline) if _holds_stores(path)}
    if MAIN not in folders:
        raise BadInput(f"{baseline / MAIN}: there is no store; name one: DIR, or NAME=DIR")
    names = [MAIN, *sorted(folders.keys() - {MAIN})]
    return [Source(name, _stores(folders[name])) for name in names]


def _stores(folder: Path) -> list[Path]:
    found = [path for path in (folder, *_below(folder)) if holds_store(path)]
    if not found:
        raise BadInput(f"{folder}: there is no {FILE} in it, nor in a folder of it")
    return found


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _holds_stores(folder: Path) -> bool:
    return any(holds_store(path) for path in (folder, *_below(folder)))


@dataclass(frozen=True)
class Opened:
    materials: Sequence[Material]
    alarms: Sequence[str]  # results that contradict one another


@contextmanager
def opened_sources(sources: Sequence[Source]) -> Iterator[Opened]:
    """Curves are read while the stores are open. Raises BadInput where a source has no result."""
    with ExitStack() as stack:
        materials, alarms = [], []
        for source in sources:
            combined = Combined(stack.enter_context(opened(source.folders)))
            alarms += [f"{source.name}: {alarm}" for alarm in combined.alarms]
            materials.append(_read(source, combined))
        yield Opened(materials, alarms)


def _read(source: Source, combined: Combined) -> Material:
    found = material(source.name, combined.rows())
    if not any(summary.num_runs for summary in found.found.summaries):
        where = ", ".join(map(str, source.folders))
        raise BadInput(
            f"{where}: no run on an evaluation seed has a current result; "
            "run what is missing or stale: bench run"
        )
    return found
