"""Each cell: how its runs ended, what it learned, at which settings.

`cell.temporal_order-30.rnn_tanh.clip_norm.solved` is "9/16".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.records import Outcome
from bench.reporting import wording
from bench.reporting.paper import numbers
from bench.reporting.paper.families.settings import written
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import cell_name, in_words
from bench.reporting.summaries import CellSummary
from bench.stats.estimates import NotEstimable
from bench.stats.proportions import Proportion

_SPREAD = "median [quartiles] over all runs"
_STEPS = f"updates until solved, {_SPREAD}"


def macros(material: Material) -> Iterator[Macro]:
    for summary in material.found.summaries:
        if summary.num_runs:
            yield from _cell(summary)


def _cell(summary: CellSummary) -> Iterator[Macro]:
    cell = summary.cell
    name, where, behind = cell_name(cell), in_words(cell), ids(cell.results)
    yield Macro(f"{name}.runs", numbers.whole(summary.num_runs), f"runs of {where}", behind)
    for outcome, proportion, verb in _shares(summary):
        yield from _share(f"{name}.{outcome}", proportion, f"{verb}: {where}", behind)
    for key, text, meaning in (
        ("steps", wording.steps(summary.steps_to_solve, cell.spec.steps), _STEPS),
        ("budget", numbers.whole(cell.spec.steps), "updates of a run"),
        ("metric", _metric(summary), f"{summary.metric_name} on test data, {_SPREAD}"),
    ):
        yield Macro(f"{name}.{key}", _spoken(text), f"{meaning}: {where}", behind)
    if summary.diverged_at is not None:
        runs = [run for run in cell.results if run.outcome is Outcome.DIVERGED]
        text, meaning = numbers.whole(summary.diverged_at), "median update of divergence"
        yield Macro(f"{name}.diverged_at", text, f"{meaning}: {where}", ids(runs))
    yield from _settings(summary, name, where, behind)


def _shares(
    summary: CellSummary,
) -> Sequence[tuple[str, Proportion | NotEstimable, str]]:
    outcomes = summary.outcomes
    return (
        ("solved", summary.solved, "runs that solved the task"),
        ("diverged", outcomes[Outcome.DIVERGED], "runs that diverged"),
        ("frozen", outcomes[Outcome.FROZEN], "runs that froze"),
        ("completed", outcomes[Outcome.COMPLETED], "runs that neither diverged nor froze"),
    )


def _share(
    name: str, found: Proportion | NotEstimable, meaning: str, behind: tuple[str, ...]
) -> Iterator[Macro]:
    assert not isinstance(found, NotEstimable)  # there is a run
    ends = numbers.interval(numbers.percent(found.low), numbers.percent(found.high))
    for key, text, what in (
        ("", wording.count(found), ""),
        (".percent", numbers.percent(found.share), ", in per cent"),
        (".interval", ends, ", exact 95 % interval in per cent"),
    ):
        yield Macro(name + key, text, f"{meaning}{what}", behind)


def _metric(summary: CellSummary) -> str:
    return wording.metric(summary.metric, summary.num_diverged)


def _spoken(text: str) -> str:
    return text.replace(wording.NOTHING, numbers.NOT_ESTIMABLE)


def _settings(
    summary: CellSummary, name: str, where: str, behind: tuple[str, ...]
) -> Iterator[Macro]:
    spec = summary.cell.spec
    if "lr" in spec.optimizer.settings:
        text = written(spec.optimizer.settings["lr"])
        yield Macro(f"{name}.lr", text, f"learning rate of {where}", behind)
    for member in spec.mitigation:
        for setting, value in sorted(member.settings.items()):
            meaning = f"{setting} of {member.name}: {where}"
            yield Macro(f"{name}.{member.name}.{setting}", written(value), meaning, behind)
