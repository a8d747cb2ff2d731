"""The cells whose data sets can be read: found out before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from bench import datasets, discovery
from bench.planning.selection import LeftOut
from bench.records import BadInput, MemberSpec, RunSpec


def whose_data_is_at_hand(specs: Sequence[RunSpec]) -> tuple[list[RunSpec], list[LeftOut]]:
    """Those that can be run, and the tasks that cannot; BadInput where none can."""
    problems: dict[LeftOut, None] = {}
    known: dict[str, str] = {}  # data set -> what is wrong with it
    found = []
    for spec in specs:
        name = data_set(spec.task)
        if name and name not in known:
            known[name] = datasets.problem(name)
        if name and known[name]:
            problems[LeftOut(f"task={spec.task.name}", known[name])] = None
        else:
            found.append(spec)
    if not found:
        first = next(iter(problems))
        raise BadInput(f"{first.what}: {first.reason}")
    return found, list(problems)


def data_set(task: MemberSpec) -> str:
    """The name of the data set that a task reads; nothing where it reads none, or is gone."""
    known = discovery.members("task").get(task.name)
    return datasets.named(known.facts.get("dataset", ""), task.settings) if known else ""


def size(data: str) -> int:
    """The characters of a text, or the images of the training file, of a data set that is there."""
    kind, _, title = data.partition("/")
    return len(datasets.text(title) if kind == "text" else datasets.images(data).training[1])
