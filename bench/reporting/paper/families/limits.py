"""What so many seeds can and cannot show, whatever the runs are: from the number of seeds alone.

`power.16.0.5.0.1`: the chance of finding rates of 0.5 and 0.1 apart with 16 seeds, in one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from bench.reporting.pairs import CONTROL
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.material import Material
from bench.stats.estimates import NotEstimable
from bench.stats.power import limits, mcnemar_power, seeds_needed

RATES = ((0.3, 0.0), (0.5, 0.0), (0.5, 0.1), (0.5, 0.2), (0.9, 0.1))
"""The pairs of true rates that are told of: from a fair effect to a clear one."""
EXAMPLE = (0.5, 0.1)
POWER = 0.8


def macros(material: Material) -> Iterator[Macro]:
    cells = [cell for cell in material.found.cells if cell.results]
    counts = sorted({len(cell.results) for cell in cells})
    for count in counts:
        yield from _of_seeds(count)
    if counts:
        yield from _here(counts[0])
    methods = len({cell.mitigation for cell in cells} - {CONTROL})
    for first, second in RATES:
        rates, pair = f"{first:g} and {second:g}", f"{first}.{second}"
        alone = _needed(first, second, 1)
        meaning = f"seeds to find rates {rates} apart with probability {POWER:g} in one block"
        yield Macro(f"seeds_needed.{pair}", alone, f"{meaning}, one mitigation", ())
        if methods > 1:
            text = _needed(first, second, methods)
            meaning += f", each of {methods} by Holm"
            yield Macro(f"seeds_needed.{pair}.family", text, meaning, ())


def _here(fewest: int) -> Iterator[Macro]:
    """The usual example, at the seeds of the cell that has fewest."""
    first, second = EXAMPLE
    meaning = f"chance of finding rates {first:g} and {second:g} apart in one block, "
    meaning += f"with the {fewest} seeds that every cell has"
    power = mcnemar_power(first, second, fewest)
    yield Macro("power.here", numbers.decimals(power, 2), meaning, ())
    yield Macro("power.here.percent", numbers.percent(power), f"{meaning}, in per cent", ())


def _of_seeds(count: int) -> Iterator[Macro]:
    found = limits(count)
    who = f"with {count} seeds"
    for key, text, meaning in (
        ("smallest_p", _small(found.smallest_p_paired), "smallest p of a paired test in one block"),
        (
            "hidden_percent",
            numbers.percent(found.hidden_rate),
            "largest share of runs, in per cent, of what none showed",
        ),
        ("most_methods", numbers.whole(found.most_methods), "largest family for Holm's method"),
    ):
        yield Macro(f"limits.{count}.{key}", text, f"{meaning}, {who}", ())
    for first, second in RATES:
        power = mcnemar_power(first, second, count)
        meaning = f"chance of finding rates {first:g} and {second:g} apart in one block, {who}"
        name = f"power.{count}.{first}.{second}"
        yield Macro(name, numbers.decimals(power, 2), meaning, ())
        yield Macro(f"{name}.percent", numbers.percent(power), f"{meaning}, in per cent", ())


def _small(p: float) -> str:
    return f"{p:.2g}"


@cache
def _needed(first: float, second: float, methods: int) -> str:
    needed = seeds_needed(first, second, power=POWER, num_methods=methods)
    return needed.reason if isinstance(needed, NotEstimable) else numbers.whole(needed)
