"""Why some usual things are not done: small examples with numbers."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata, ttest_1samp, wilcoxon

from bench.seeding import Stream
from bench.stats.censoring import TimesToReach, times_to_reach
from bench.stats.mcnemar import exact_p
from calibration_parts.tables import Report, percent, table

BUDGET = 1000


def censoring_at_divergence(_: bool) -> Report:
    """Ten runs: 4 diverge early, 4 solve later, 2 do neither."""
    diverged, solved = [50, 60, 70, 80], [300, 400, 500, 600]
    at_divergence = _kaplan_meier(solved, [*diverged, BUDGET, BUDGET])
    at_budget = _kaplan_meier(solved, [BUDGET] * 6)
    found = times_to_reach(np.array([*solved, *[np.inf] * 6]))
    assert isinstance(found, TimesToReach)
    rows = [
        ["Kaplan-Meier, a diverged run censored where it diverged", percent(at_divergence, 0)],
        ["Kaplan-Meier, a diverged run unsolved until the budget", percent(at_budget, 0)],
        ["what happened", percent(found.num_reached / found.num_runs, 0)],
    ]
    return Report(table(["ten runs, 4 solved, 4 diverged early, 2 neither", "solved"], rows))


def _kaplan_meier(events: list[int], censored: list[int]) -> float:
    """One less the product over events of (1 - 1 / runs still under watch)."""
    watched = [sum(time >= event for time in [*events, *censored]) for event in events]
    return 1 - float(np.prod([1 - 1 / number for number in watched]))


def ranks_and_who_else_entered(_: bool) -> Report:
    """Losses in five blocks: A beats B in three, then C comes along."""
    losses = {"A": [1, 1, 1, 3, 3], "B": [2, 2, 2, 1, 1], "C": [3, 3, 3, 2, 2]}
    rows = []
    for entered in (("A", "B"), ("A", "B", "C")):
        table_of = np.array([losses[name] for name in entered])
        ranks = rankdata(table_of, axis=0).mean(axis=1)
        shown = ", ".join(f"{name} {rank:.1f}" for name, rank in zip(entered, ranks, strict=True))
        best = entered[int(ranks.argmin())]
        rows.append([" and ".join(entered), shown, best])
    wins = np.mean(np.array(losses["A"]) < np.array(losses["B"]))
    note = f"A is better than B in {percent(float(wins), 0)} of the blocks, whoever else enters:"
    return Report(f"{note}\n\n{table(['entered', 'mean ranks', 'best'], rows)}")


def tests_chosen_by_their_result(quick: bool) -> Report:
    num_sets = 500 if quick else 5000
    rows = []
    for n in (10, 20):
        values = Stream("tests chosen by tests", n, seed=0).normal((num_sets, n))
        positive = (values > 0).sum(axis=1)
        ps = np.array(
            [
                ttest_1samp(values, 0, axis=1).pvalue,
                wilcoxon(values, axis=1).pvalue,
                [exact_p(int(count), n - int(count)) for count in positive],
            ]
        )
        alone = [percent((each <= 0.05).mean()) for each in ps]
        rows.append([n, *alone, percent((ps.min(axis=0) <= 0.05).mean())])
    heading = ["pairs", "t", "Wilcoxon", "sign", "whichever of the three is smallest"]
    note = f"False alarms at 0.05, normal differences without an effect, {num_sets:,} samples:"
    return Report(f"{note}\n\n{table(heading, rows)}")
