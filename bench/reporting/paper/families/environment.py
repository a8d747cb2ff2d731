"""What the results were made with: code, versions and processor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.reporting.made_with import COMMIT_LENGTH, NOT_RECORDED
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material

_FACTS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "commit": ("git commit of the code", lambda told: _commit(told)),
    "version": ("version of the suite", lambda told: _told(told, "suite_version")),
    "python": ("version of Python", lambda told: _told(told, "python")),
    "torch": ("version of PyTorch", lambda told: _told(told, "torch")),
    "numpy": ("version of NumPy", lambda told: _told(told, "numpy")),
    "processor": ("processor", lambda told: _told(told, "cpu_model")),
    "cores": ("cores of the machine", lambda told: _told(told, "cpu_cores")),
    "kernels": ("build of the kernels", lambda told: _told(told, "kernels").partition(" ")[0]),
}


def macros(material: Material) -> Iterator[Macro]:
    runs = material.counted
    for name, (meaning, read) in _FACTS.items():
        counts = Counter(read(run.provenance) for run in runs)
        # The commonest first; equally common ones by name.
        values = sorted(counts, key=lambda value: (-counts[value], value))
        text = ", ".join(values) or NOT_RECORDED
        yield Macro(name, text, f"{meaning}, the commonest first", ids(runs))
    dirty = [run for run in runs if run.provenance.get("git_dirty")]
    text = numbers.whole(len(dirty))
    yield Macro("commit.changed", text, "runs made with changes since that commit", ids(dirty))
    days = sorted(_told(run.provenance, "started_at")[:10] for run in runs)
    if days:
        yield Macro("date.first", days[0], "day (UTC) on which the first run began", ids(runs))
        yield Macro("date.last", days[-1], "day (UTC) on which the last run began", ids(runs))


def _told(provenance: Mapping[str, Any], name: str) -> str:
    return str(provenance.get(name, NOT_RECORDED))


def _commit(provenance: Mapping[str, Any]) -> str:
    return str(provenance.get("git_commit") or NOT_RECORDED)[:COMMIT_LENGTH]
