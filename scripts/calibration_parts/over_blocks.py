"""Many blocks, seeds shared: simulated, since the outcomes are too many to sum over.

A pair is +1 where a normal number is large, -1 where it is small; of its variance the seed's own
part is shared by all blocks. The share of +1 and of -1 in each block is therefore known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from bench.seeding import Stream
from bench.stats.bounded_mean import bounded_mean_interval
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import exact_p
from bench.stats.sign_flip import flip_p, sign_flip
from calibration_parts.tables import Report, is_too_many, percent, sizes, table


@dataclass(frozen=True)
class World:
    """`plus` and `minus`: P(+1) and P(-1) in turn over the blocks."""

    name: str
    num_blocks: int
    of_seed: float  # correlation between blocks within a seed
    plus: tuple[float, ...]
    minus: tuple[float, ...]

    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        return np.resize(self.plus, self.num_blocks), np.resize(self.minus, self.num_blocks)

    @property
    def effect(self) -> float:
        plus, minus = self.shares()
        return float((plus - minus).mean())

    def draw(self, num_sets: int, num_seeds: int) -> np.ndarray:
        """[sets, blocks, seeds] of -1, 0, 1."""
        stream = Stream("calibration of sign flips", self.name, num_seeds, seed=0)
        seeds = stream.normal((num_sets, 1, num_seeds))
        own = stream.normal((num_sets, self.num_blocks, num_seeds))
        latent = np.sqrt(self.of_seed) * seeds + np.sqrt(1 - self.of_seed) * own
        plus, minus = (share[:, None] for share in self.shares())
        return (latent > norm.isf(plus)).astype(float) - (latent < norm.ppf(minus))


def _same(name: str, num_blocks: int, of_seed: float, share: float) -> World:
    return World(name, num_blocks, of_seed, (share,), (share,))


RARE, COMMON = "rare (2 % + 2 %)", "frequent (25 % + 25 %)"
NULLS = (
    _same(RARE, 12, 0.0, 0.02),
    _same(RARE, 12, 0.9, 0.02),
    _same(COMMON, 12, 0.0, 0.25),
    _same(COMMON, 12, 0.5, 0.25),
    _same(COMMON, 12, 0.9, 0.25),
    _same("no ties (50 % + 50 %)", 12, 0.9, 0.5),
    _same("some (10 % + 10 %)", 4, 0.5, 0.1),
)
EFFECTS = (
    World("rare, one way (5 % + 0 %)", 12, 0.5, (0.05,), (0.0,)),
    World("rare, one way (5 % + 0 %)", 12, 0.9, (0.05,), (0.0,)),
    World("rates 0.5 and 0.1 (45 % + 5 %)", 12, 0.5, (0.45,), (0.05,)),
    World("rates 0.5 and 0.1 (45 % + 5 %)", 12, 0.9, (0.45,), (0.05,)),
    World(
        "good in two blocks, bad in the others", 4, 0.5, (0.6, 0.4, 0.02, 0.0), (0, 0.1, 0.3, 0.2)
    ),
    World("nearly always (90 % + 2 %)", 12, 0.9, (0.9,), (0.02,)),
)


def tests_and_intervals(quick: bool) -> Report:
    num_sets = 60 if quick else 400
    rows, broken = [], []
    for world in (NULLS + EFFECTS)[:: 3 if quick else 1]:
        cells: list[str] = []
        is_null = world in NULLS
        for n in sizes(quick):
            small, tiny, missed = _counts(world, num_sets, n)
            too_many = is_too_many(missed, num_sets, 0.05) or (
                is_null
                and (is_too_many(small, num_sets, 0.05) or is_too_many(tiny, num_sets, 0.01))
            )
            if too_many:
                broken.append(f"{world.name}, n = {n}")
            shares = [small / num_sets, tiny / num_sets, 1 - missed / num_sets]
            cells.append(" / ".join(f"{100 * share:.1f}" for share in shares))
        what = f"{'no effect' if is_null else 'effect'}: {world.name}"
        rows.append([what, world.num_blocks, world.of_seed, *cells])
    heading = ["pairs", "blocks", "correlation", *(f"n = {n}" for n in sizes(quick))]
    note = (
        f"Each cell: p <= 0.05 / p <= 0.01 / the 95 % interval covers, in percent of {num_sets:,} "
        "simulated tables. A cell would be marked as broken if so many errors had a chance below "
        "1e-5 at the nominal rate (one-sided)."
    )
    return Report(f"{note}\n\n{table(heading, rows)}", tuple(broken))


def _counts(world: World, num_sets: int, num_seeds: int) -> tuple[int, int, int]:
    small = tiny = missed = 0
    for differences in world.draw(num_sets, num_seeds):
        found = sign_flip(differences)
        assert not isinstance(found, NotEstimable)
        small += found.p <= 0.05
        tiny += found.p <= 0.01
        missed += not found.low <= world.effect <= found.high
    return small, tiny, missed


def choice_of_interval(quick: bool) -> Report:
    num_sets = 60 if quick else 400
    rows = []
    for world in (EFFECTS[1], EFFECTS[3], NULLS[2]):
        for n in (10,) if quick else (10, 16, 20):
            means = world.draw(num_sets, n).mean(axis=1)  # [sets, seeds]
            for name, ends in (
                ("bounded mean (here)", np.array([_bounded(each) for each in means])),
                ("t over seeds", _t_intervals(means)),
                ("bootstrap of seeds, percentile", _bootstrap(means)),
            ):
                holds = (ends[:, 0] <= world.effect) & (world.effect <= ends[:, 1])
                width = (ends[:, 1] - ends[:, 0]).mean()
                what = f"{world.name}, correlation {world.of_seed}"
                rows.append([what, n, name, percent(holds.mean()), f"{width:.2f}"])
    return Report(table(["pairs", "seeds", "interval", "covers", "mean width (of 2)"], rows))


def _bounded(means: np.ndarray) -> tuple[float, float]:
    interval = bounded_mean_interval(means, -1.0, 1.0)
    assert not isinstance(interval, NotEstimable)
    return interval


def _t_intervals(means: np.ndarray) -> np.ndarray:
    n = means.shape[1]
    half = t.isf(0.025, n - 1) * means.std(axis=1, ddof=1) / np.sqrt(n)
    return np.stack([means.mean(axis=1) - half, means.mean(axis=1) + half], axis=1)


def _bootstrap(means: np.ndarray) -> np.ndarray:
    n = means.shape[1]
    chosen = Stream("bootstrap for comparison", n, seed=0).integers(0, n, (1000, n))
    return np.array([np.quantile(each[chosen].mean(axis=1), (0.025, 0.975)) for each in means])


def pairs_as_units(quick: bool) -> Report:
    """McNemar on all (block, seed) pairs, as if they were independent."""
    num_sets = 200 if quick else 2000
    rows, broken = [], []
    for of_seed in (0.0, 0.2, 0.5, 0.9):
        for n in (10, 20):
            tables = _same("pairs as units", 12, of_seed, 0.25).draw(num_sets, n)
            plus, minus = ((tables == sign).sum(axis=(1, 2)) for sign in (1, -1))
            naive = sum(exact_p(int(b), int(c)) <= 0.05 for b, c in zip(plus, minus, strict=True))
            contributions = np.round(tables.mean(axis=1) / n, 12)
            flipped = sum(flip_p(each)[0] <= 0.05 for each in contributions)
            if is_too_many(flipped, num_sets, 0.05):
                broken.append(f"correlation {of_seed}, n = {n}")
            rows.append([of_seed, n, percent(naive / num_sets), percent(flipped / num_sets)])
    heading = [
        "correlation between blocks within a seed",
        "seeds",
        "false alarms, 12 n pairs as units",
        "false alarms, seeds as units",
    ]
    note = f"12 blocks, no effect, p <= 0.05, {num_sets:,} simulated tables:"
    return Report(f"{note}\n\n{table(heading, rows)}", tuple(broken))
