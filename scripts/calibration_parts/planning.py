"""Families, and how many seeds."""

from __future__ import annotations

import numpy as np

from bench.seeding import Stream
from bench.stats.mcnemar import exact_p
from bench.stats.multiplicity import benjamini_hochberg, holm
from bench.stats.power import limits, mcnemar_power, seeds_needed
from calibration_parts.tables import SIZES, Report, is_too_many, percent, table

EFFECTS = ((0.0, 0.3), (0.0, 0.5), (0.05, 0.3), (0.1, 0.5), (0.2, 0.5), (0.1, 0.9))
METHODS = (1, 5, 10, 20)
CORRELATIONS = (0.0, 0.3)


def families(quick: bool) -> Report:
    """Methods that all diverge as often as the baseline, each compared with it."""
    num_families, num_seeds = 300 if quick else 3000, 20
    rows, broken = [], []
    for num_methods in (5, 10, 20):
        for rate in (0.1, 0.5):
            stream = Stream("calibration of families", num_methods, seed=int(10 * rate))
            runs = stream.uniform((num_families, num_methods + 1, num_seeds)) < rate
            baseline, methods = runs[:, :1], runs[:, 1:]
            only = [(baseline & ~methods).sum(axis=2), (methods & ~baseline).sum(axis=2)]
            raw = np.vectorize(exact_p, otypes=[float])(*only)
            adjusted = [np.array([way(each) for each in raw]) for way in (holm, benjamini_hochberg)]
            alarms = [(ps <= 0.05).any(axis=1).sum() for ps in (raw, *adjusted)]
            if any(is_too_many(int(count), num_families, 0.05) for count in alarms[1:]):
                broken.append(f"{num_methods} methods at {rate}")
            rows.append([num_methods, rate, *(percent(each / num_families) for each in alarms)])
    heading = ["methods", "all rates", "raw p", "Holm", "Benjamini-Hochberg"]
    note = (
        f"Families with at least one p <= 0.05 although no method differs; {num_seeds} seeds, one "
        f"baseline for all, {num_families:,} simulated families:"
    )
    return Report(f"{note}\n\n{table(heading, rows)}", tuple(broken))


def what_cannot_be_concluded(_: bool) -> Report:
    rows = []
    for n in (3, *SIZES):
        found = limits(n)
        ps = (f"{found.smallest_p_paired:.2g}", f"{found.smallest_p_unpaired:.2g}")
        hidden = percent(found.hidden_rate)
        most = found.most_methods if found.most_methods < 1000 else "over 1,000"
        rows.append([n, found.size or "none", *ps, hidden, most])
    heading = [
        "seeds",
        "size",
        "smallest p, paired",
        "smallest p, unpaired",
        "0 of n diverged: the rate may be",
        "largest family in which Holm can find one effect",
    ]
    return Report(table(heading, rows))


def seeds_for_effects(_: bool) -> Report:
    rows = [
        [*rates, phi, *(_seeds(rates, phi, methods) for methods in METHODS)]
        for rates in EFFECTS
        for phi in CORRELATIONS
        if phi == 0.0 or _possible(rates, phi)
    ]
    in_family = [f"in a family of {methods}" for methods in METHODS[1:]]
    return Report(table(["rate", "rate", "correlation of pairs", "alone", *in_family], rows))


def power_by_seeds(_: bool) -> Report:
    rows = [
        [
            *rates,
            phi,
            *(f"{mcnemar_power(*rates, n, correlation=phi):.2f}" for n in (3, *SIZES, 50)),
        ]
        for rates in EFFECTS
        for phi in CORRELATIONS
        if phi == 0.0 or _possible(rates, phi)
    ]
    heading = ["rate", "rate", "correlation of pairs", *(f"n = {n}" for n in (3, *SIZES, 50))]
    return Report(table(heading, rows))


def _seeds(rates: tuple[float, float], phi: float, methods: int) -> str:
    return str(seeds_needed(*rates, correlation=phi, num_methods=methods))


def _possible(rates: tuple[float, float], phi: float) -> bool:
    try:
        mcnemar_power(*rates, 1, correlation=phi)
    except ValueError:
        return False
    return min(rates) > 0
