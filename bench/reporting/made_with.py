"""What the results of a report were made with, from the provenance that is stored with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.reporting.collection import StoredRun

NOT_RECORDED = "not recorded"
PACKAGES = ("python", "torch", "numpy")
COMMIT_LENGTH = 12


class MadeWith:
    """Counts runs by what they were made with; in which order they come changes nothing."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def watch(self, runs: Iterable[StoredRun]) -> Iterator[StoredRun]:
        """Hands on `runs`, and takes notice of those whose results count."""
        for run in runs:
            if run.status == "current":
                for name, value in _facts(run.provenance, run.semantics_version):
                    self._counts.setdefault(name, Counter())[value] += 1
            yield run

    def lines(self) -> list[str]:
        """ "torch: 2.13.0", or "torch: 2.13.0 (90 runs), 2.12.1 (10 runs)"; none without a run."""
        return [f"{name}: {_in_words(counts)}" for name, counts in self._counts.items()]


def code_in_words(provenance: Mapping[str, Any]) -> str:
    """ "version 0.1.0, 0123456789ab with changes" """
    version = provenance.get("suite_version", NOT_RECORDED)
    commit = str(provenance.get("git_commit") or "")[:COMMIT_LENGTH] or "no git commit"
    changes = " with changes" if provenance.get("git_dirty") else ""
    return f"version {version}, {commit}{changes}"


def processor_in_words(provenance: Mapping[str, Any]) -> str:
    """ "Intel Xeon (AVX512)" """
    told = {name: provenance.get(name, NOT_RECORDED) for name in ("cpu_model", "cpu_capability")}
    return f"{told['cpu_model']} ({told['cpu_capability']})"


def _facts(provenance: Mapping[str, Any], semantics_version: int) -> Iterator[tuple[str, str]]:
    yield "code", code_in_words(provenance)
    yield "semantics version", str(semantics_version)
    for name in PACKAGES:
        yield name, str(provenance.get(name, NOT_RECORDED))
    yield "processor", processor_in_words(provenance)
    yield "kernels", str(provenance.get("kernels", NOT_RECORDED))


def _in_words(counts: Counter[str]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    # The commonest first; equally common ones by name.
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{value} ({num} run{'s' * (num != 1)})" for value, num in ordered)
