"""`bench plan`: how many seeds a question needs, what they cost, and what fewer cannot answer."""

from __future__ import annotations

from collections.abc import Iterator

from bench.plain_text import one_line
from bench.planning.describe import duration
from bench.planning.estimates import estimates
from bench.planning.planner import Plan
from bench.records import BadInput
from bench.stats.estimates import NotEstimable
from bench.stats.power import SIZES, limits, mcnemar_power, seeds_needed

TOO_FEW = 3
"""Seeds of many a paper; shown beside the sizes that have a name."""


def in_words(plan: Plan, rates: tuple[float, float], power: float, cores: int) -> Iterator[str]:
    """The text, line by line. Raises BadInput for rates and a power that cannot be."""
    _checked(rates, power)
    methods = len({cell.mitigation_name for cell in plan.cells} - {"none"})
    yield (
        f"To tell a rate of {rates[0]:g} from one of {rates[1]:g} (of runs that diverge, or solve) "
        f"with probability {power:g}"
    )
    yield "at p <= 0.05, by the exact McNemar test on shared seeds whose runs are else independent:"
    wanted = [_needed(rates, power, 1)]
    yield f"  one mitigation in one cell: {_seeds(wanted[0])}"
    if methods > 1:
        wanted.append(_needed(rates, power, methods))
        yield f"  each of {methods} mitigations in one cell, by Holm: {_seeds(wanted[-1])}"
    yield ""
    yield from _costs(plan, [len(plan.seeds), *wanted], rates, cores)
    yield ""
    yield "What fewer seeds cannot conclude, whatever they show:"
    for count in sorted({TOO_FEW, *SIZES}):
        yield f"  {_limits(count)}"


def _checked(rates: tuple[float, float], power: float) -> None:
    if not 0 < power < 1:
        raise BadInput(f"--power {power:g}: must be above 0 and below 1")
    for rate in rates:
        if not 0 <= rate <= 1:
            raise BadInput(f"--rates: {rate:g} is not a rate; give two from 0 to 1, as in 0.5,0.1")


def _needed(rates: tuple[float, float], power: float, methods: int) -> int | NotEstimable:
    return seeds_needed(*rates, power=power, num_methods=methods)


def _seeds(needed: int | NotEstimable) -> str:
    return str(needed) if isinstance(needed, NotEstimable) else f"{needed} seeds"


def _costs(
    plan: Plan, counts: list[int | NotEstimable], rates: tuple[float, float], cores: int
) -> Iterator[str]:
    seconds = sum(cost.seconds for cost in estimates(plan.cells))
    trials = plan.runs_per_cell - len(plan.seeds)  # and the sweep of learning rates
    workers = plan.workers(cores)
    yield f"{one_line(plan.name)} has {len(plan.cells)} cells, {_minutes(seconds)} of CPU a seed:"
    if trials:
        yield f"  tuning and sweep: {trials} runs of each cell, {_minutes(seconds * trials)}"
    for count in sorted({each for each in counts if not isinstance(each, NotEstimable)}):
        work = seconds * (trials + count)
        found = mcnemar_power(*rates, count)
        yield (
            f"  {count} seeds: {_minutes(work)} of CPU in all, {duration(work / workers)} with "
            f"{workers} at a time; power in one cell {found:.2f}"
        )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.1f} min" if seconds < 600 else f"{seconds / 60:,.0f} min"


def _limits(count: int) -> str:
    found = limits(count)
    name = f" ({found.size})" if count in SIZES else ""
    smallest = f"p is at least {found.smallest_p_paired:.2g} paired, "
    smallest += f"{found.smallest_p_unpaired:.2g} unpaired"
    if found.most_methods == 0:
        family = "so never below 0.05 paired"
    else:
        most = f"{found.most_methods:,}" if found.most_methods < 1000 else "a thousand or more"
        family = f"enough for a family of {most}"
    hidden = f"what none of {count} showed may be in {100 * found.hidden_rate:.0f} % of runs"
    return f"{count:>2} seeds{name}: {smallest}, {family}; {hidden}"
