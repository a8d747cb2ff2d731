"""Each mitigation against none, pooled over blocks, and cell by cell.

`pooled.clip_norm.solved.difference` is "+25" percentage points. For the metric it is the
probability of improvement: `pooled.clip_norm.metric.probability`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.reporting import wording
from bench.reporting.cells import Cell
from bench.reporting.comparisons import OUTCOMES, Found, InCell, Pooled, effect_of
from bench.reporting.pairs import beside_control
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import cell_name, in_words, slug
from bench.stats.estimates import Estimate, NotEstimable

ALPHA = 0.05
_WORDS = {
    "diverged": ("more", "fewer", "as many"),
    "solved": ("more", "fewer", "as many"),
    "metric": ("better", "worse", "no better"),
}
_WHAT = {
    "diverged": "rate of divergence with it less that with none",
    "solved": "rate of solving with it less that with none",
    "metric": "probability that its final test metric is better than that of none",
}


@dataclass(frozen=True)
class Line:
    """A comparison in plain numbers."""

    effect: float  # a difference of rates, or the probability of improvement
    low: float
    high: float
    p: float
    adjusted: float

    def is_found(self) -> bool:
        return self.adjusted <= ALPHA

    def side(self, neutral: float) -> int:
        """1, -1 or 0."""
        return int(self.effect > neutral) - int(self.effect < neutral)


def neutral(outcome: str) -> float:
    """The effect that says nothing."""
    return 0.5 if outcome == "metric" else 0.0


def line(found: Found | NotEstimable, adjusted: Estimate) -> Line | NotEstimable:
    if isinstance(found, NotEstimable) or isinstance(adjusted, NotEstimable):
        return found if isinstance(found, NotEstimable) else NotEstimable("no adjusted p")
    return Line(effect_of(found), found.low, found.high, found.p, adjusted)


def macros(material: Material) -> Iterator[Macro]:
    compared = material.found.compared
    beside = beside_control(material.found.cells)
    for index, pooled in enumerate(compared.pooled):
        pairs = beside[pooled.mitigation]
        name, who = f"pooled.{slug(pooled.mitigation)}", f"{pooled.mitigation}, over blocks"
        behind = runs_of_pairs(pairs)
        yield Macro(f"{name}.blocks", str(pooled.num_blocks), f"blocks compared: {who}", behind)
        yield from _pairs(name, pooled, who, behind)
        for outcome in OUTCOMES:
            found = line(
                getattr(pooled, outcome), compared.pooled_families[outcome].adjusted[index]
            )
            yield from _comparison(f"{name}.{outcome}", outcome, found, who, behind, "Holm")
    yield from _in_cells(compared.in_cells, material)
    yield Macro("confidence", "95", "confidence of every interval, in per cent", ())
    yield Macro("alpha", f"{ALPHA:g}", "level at which an adjusted p counts as found", ())


def _pairs(name: str, pooled: Pooled, who: str, behind: tuple[str, ...]) -> Iterator[Macro]:
    solved = pooled.solved
    counts = (0, 0) if isinstance(solved, NotEstimable) else (solved.num_pairs, solved.num_dropped)
    words = ("pairs compared", "pairs without one of the two results, dropped")
    for key, count, meaning in zip(("pairs", "dropped"), counts, words, strict=True):
        yield Macro(f"{name}.{key}", numbers.whole(count), f"{meaning}: {who}", behind)


def _in_cells(in_cells: Sequence[InCell], material: Material) -> Iterator[Macro]:
    families = material.found.compared.cell_families
    beside = beside_control(material.found.cells)
    pair_of = {pair[0].cell_id: pair for pairs in beside.values() for pair in pairs}
    for index, each in enumerate(in_cells):
        behind = runs_of_pairs([pair_of[each.cell.cell_id]])
        for outcome in OUTCOMES:
            found = line(getattr(each, outcome), families[outcome].adjusted[index])
            name = f"{cell_name(each.cell)}.{outcome}"
            who = f"{in_words(each.cell)}, against none"
            yield from _comparison(name, outcome, found, who, behind, "Benjamini and Hochberg")


def _comparison(
    name: str,
    outcome: str,
    found: Line | NotEstimable,
    who: str,
    behind: tuple[str, ...],
    adjusted_by: str,
) -> Iterator[Macro]:
    what, unit = _WHAT[outcome], "" if outcome == "metric" else ", in percentage points"
    effect = "probability" if outcome == "metric" else "difference"
    meanings = {
        effect: f"{what}{unit}",
        f"{effect}.size": f"{what}{unit}, without its sign",
        f"{effect}.interval": f"95 % interval of: {what}{unit}",
        "p": f"p, raw: {what}",
        "p_adjusted": f"p, adjusted by {adjusted_by}: {what}",
        "p_relation": f"p, raw, to stand behind a p: {what}",
        "p_adjusted_relation": f"p, adjusted by {adjusted_by}, to stand behind a p: {what}",
        "direction": f"{what}: which way the estimate points",
        "finding": f"{what}: which way, if adjusted p is at most {ALPHA:g}, else undecided",
    }
    texts = _texts(outcome, found)
    for (key, meaning), text in zip(meanings.items(), texts, strict=True):
        yield Macro(f"{name}.{key}", text, f"{meaning}: {who}", behind)


def _texts(outcome: str, found: Line | NotEstimable) -> Sequence[str]:
    if isinstance(found, NotEstimable):
        return [numbers.NOT_ESTIMABLE] * 8 + ["undecided"]
    effect, low, high = (
        numbers.decimals(value, 2) if outcome == "metric" else wording.points(value)
        for value in (found.effect, found.low, found.high)
    )
    more, fewer, same = _WORDS[outcome]
    direction = (same, more, fewer)[found.side(neutral(outcome))]
    return [
        effect,
        effect.lstrip("+-"),
        numbers.interval(low, high),
        wording.probability(found.p),
        wording.probability(found.adjusted),
        numbers.p_relation(found.p),
        numbers.p_relation(found.adjusted),
        direction,
        direction if found.is_found() else "undecided",
    ]


def runs_of_pairs(pairs: Sequence[tuple[Cell, Cell]]) -> tuple[str, ...]:
    """The runs of both cells on the seeds that both have, cell by cell."""
    found: list[str] = []
    for pair in pairs:
        seeds = set.intersection(*({run.spec.seed for run in cell.results} for cell in pair))
        found += [
            run_id
            for cell in pair
            for run_id in ids(run for run in cell.results if run.spec.seed in seeds)
        ]
    return tuple(found)
