"""`bench explain NAME`: a number of the paper, what it is, and the runs behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from bench.records import BadInput
from bench.reporting.labels import setting_text
from bench.reporting.paper.ledger import RunLine
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.macros import all_macros
from bench.reporting.paper.material import Material

_NEAREST = 5


def explained(name: str, materials: Sequence[Material]) -> Iterator[str]:
    """Line by line; with * or ? in the name all that match, without their runs.

    Raises BadInput for a name that no number has.
    """
    macros = all_macros(materials)
    matching = [macro for macro in macros.values() if fnmatchcase(macro.name, name)]
    if name not in macros and not matching:
        raise BadInput(f"{name}: the paper has no such number{_hint(name, macros)}")
    if name not in macros:
        yield from _listing(matching)
        return
    runs = {run.run_id: run for material in materials for run in material.runs}
    yield from _card(macros[name], runs)


def _hint(name: str, macros: Mapping[str, Macro]) -> str:
    near = get_close_matches(name, macros, n=_NEAREST, cutoff=0.5)
    near = near or [other for other in macros if name in other][:_NEAREST]
    if near:
        return f" (did you mean {', '.join(near)}?)"
    return "; all of them: bench explain '*'"


def _listing(macros: Sequence[Macro]) -> Iterator[str]:
    width = max(len(macro.name) for macro in macros)
    for macro in macros:
        yield f"{macro.name:<{width}}  {macro.text}  ({macro.meaning})"


def _card(macro: Macro, runs: Mapping[str, RunLine]) -> Iterator[str]:
    yield f"{macro.name}: {macro.text}"
    yield macro.meaning
    if not macro.run_ids:
        yield "computed, from no run"
        return
    count = len(macro.run_ids)
    yield f"{count} run{'s' * (count != 1)}:"
    lines = [_fields(runs[run_id]) for run_id in macro.run_ids]
    widths = [max(map(len, column)) for column in zip(*_HEADINGS, *lines, strict=True)]
    for fields in (*_HEADINGS, *lines):
        padded = (field.ljust(width) for field, width in zip(fields, widths, strict=True))
        yield "  " + "  ".join(padded).rstrip()


_HEADINGS = [("run", "task", "architecture", "mitigation", "lr", "seed", "outcome")]


def _fields(run: RunLine) -> tuple[str, ...]:
    rate = run.spec.optimizer.settings.get("lr")
    solved = "" if run.solved_step is None else f", solved at {run.solved_step}"
    status = "" if run.is_current or run.status == "failed" else f", {run.status}"
    return (
        run.run_id,
        *run.spec.names[:3],
        "" if rate is None else setting_text(rate),
        str(run.spec.seed),
        f"{run.outcome}{solved}{status}",
    )
