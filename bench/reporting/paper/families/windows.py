"""How wide the range of learning rates is at which a method works, from the sweep of them.

`window.adding-30.rnn_tanh.clip_norm.decades` is the widest stretch of neighbouring rates at which
no run diverged or froze; `.solved_decades`, at which more than half solved. Among the rates tried:
where such a stretch ends with them, it is "at least" so wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from bench.records import Outcome, RunRecord
from bench.reporting.labels import setting_text
from bench.reporting.pages.window import widest_window
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import in_words, place_name
from bench.reporting.sweeps import Sweep

NO_RATE = "no rate"
Stretch: TypeAlias = tuple[float, float] | None


def macros(material: Material) -> Iterator[Macro]:
    for sweep in material.found.sweeps:
        yield from _sweep(sweep)
    runs = [run for sweep in material.found.sweeps for tried in sweep.results for run in tried]
    if runs:
        rates = numbers.one_or_range([len(sweep.rates) for sweep in material.found.sweeps])
        yield Macro("sweep.rates", rates, "learning rates of a sweep", ids(runs))
        seeds = [len(tried) for sweep in material.found.sweeps for tried in sweep.results]
        text = numbers.one_or_range(seeds)
        yield Macro("sweep.seeds", text, "runs at each rate of a sweep", ids(runs))


def _sweep(sweep: Sweep) -> Iterator[Macro]:
    cell = sweep.cell
    name = f"window.{place_name(cell)}"
    behind = ids(run for tried in sweep.results for run in tried)
    where = in_words(cell)
    for key, good, meaning in (
        ("", [all(map(_survived, tried)) for tried in sweep.results], "no run diverged or froze"),
        ("solved_", [_most_solved(tried) for tried in sweep.results], "more than half solved"),
    ):
        stretch = widest_window(sweep.rates, good)
        what = f"neighbouring learning rates at which {meaning}: {where}"
        for part, text, told in (
            ("decades", _decades(stretch), "decades of"),
            ("at_least", _at_least(stretch, sweep.rates), "decades, or at least so many, of"),
            ("low", _end(stretch, 0), "lowest of the"),
            ("high", _end(stretch, 1), "highest of the"),
            ("rates", f"{sum(good)}/{len(good)}", "rates tried, neighbouring or not, of the"),
        ):
            yield Macro(f"{name}.{key}{part}", text, f"{told} {what}", behind)


def _survived(run: RunRecord) -> bool:
    return run.outcome is Outcome.COMPLETED


def _most_solved(runs: Sequence[RunRecord]) -> bool:
    return 2 * sum(run.solved_step is not None for run in runs) > len(runs)


def _decades(stretch: Stretch) -> str:
    return numbers.decimals(math.log10(stretch[1] / stretch[0]), 1) if stretch else NO_RATE


def _at_least(stretch: Stretch, rates: Sequence[float]) -> str:
    ends = {rates[0], rates[-1]} & set(stretch or ())
    return f"at least {_decades(stretch)}" if ends else _decades(stretch)


def _end(stretch: Stretch, place: int) -> str:
    return setting_text(float(f"{stretch[place]:.3g}")) if stretch else NO_RATE
