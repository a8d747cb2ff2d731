"""How settings were chosen: the trials of each cell, and what they chose."""

from __future__ import annotations

from collections.abc import Iterator

from bench.planning.seeds import Purpose
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, distinct_ids, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import cell_name, in_words
from bench.reporting.trials import Search


def macros(material: Material) -> Iterator[Macro]:
    searches = material.found.searches
    if not searches:
        return
    behind = distinct_ids([run_id for one in searches for run_id in _runs(one)])
    per_method = numbers.one_or_range([one.num_trials for one in searches])
    yield Macro("trials.per_method", per_method, "settings that each method tried a cell", behind)
    seeds = [len({trial.spec.seed for trial in one.trials}) for one in searches]
    yield Macro("trials.seeds", numbers.one_or_range(seeds), "tuning seeds of a trial", behind)
    rates = [len({_rate(trial.spec.optimizer.settings) for trial in s.trials}) for s in searches]
    yield Macro("trials.rates", numbers.one_or_range(rates), "learning rates tried a cell", behind)
    lost = ids(run for run in material.of(Purpose.TUNING) if run.outcome != "completed")
    yield Macro(
        "trials.lost", numbers.whole(len(lost)), "runs of trials that diverged or froze", lost
    )
    for search in searches:
        yield from _search(search)


def _search(search: Search) -> Iterator[Macro]:
    cell = search.summary.cell
    name, where = cell_name(cell), in_words(cell)
    behind = _runs(search)
    for key, text, meaning in (
        ("chosen", search.in_words or "nothing", "what its trials chose"),
        ("trials", numbers.whole(search.num_trials), "settings tried"),
        ("trials.lost", f"{search.num_lost}/{len(search.trials)}", "runs of trials that were lost"),
    ):
        yield Macro(f"{name}.{key}", text, f"{meaning}: {where}", behind)


def _runs(search: Search) -> tuple[str, ...]:
    """The trials come as they were read."""
    specs = sorted((trial.spec for trial in search.trials), key=lambda s: (s.seed, s.run_id))
    return tuple(spec.run_id for spec in specs)


def _rate(settings: object) -> str:
    return repr(settings["lr"])  # type: ignore[index]
